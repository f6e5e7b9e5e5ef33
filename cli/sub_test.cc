// SPDX-License-Identifier: Apache-2.0
#include "cli/sub.h"

#include <string>
#include <string_view>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/commands.h"
#include "cli/process_testing.h"

namespace vrelo::cli {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;

constexpr std::string_view kStreamHead =
    "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n";

struct SubSession : CommandSession {
  // Accepts the next connection, reads its request and answers it.
  sse::client::Peer answer(std::string_view bytes) {
    sse::client::Peer peer = server.accept();
    request = peer.receive();
    peer.send(bytes);
    return peer;
  }

  void wait_for_output(std::string_view text) {
    sse::client::run_until(loop, [&] { return out.text.find(text) != std::string::npos; });
  }

  std::string request;
};

TEST(Sub, prints_events_for_people) {
  SubSession session;
  session.start(sub, {session.server.url("/x?y"), "--count", "2"});
  const auto peer = session.answer(std::string(kStreamHead) +
                                   "id: #A.1\ndata: Hello\n\nevent: price\ndata: a\ndata: b\n\n");
  EXPECT_EQ(session.wait_for_end(), kOk);
  EXPECT_THAT(session.request, StartsWith("GET /x?y HTTP/1.1\r\n"));
  EXPECT_EQ(session.out.text, "#A.1 message Hello\n#A.1 price a\n    b\n");
  EXPECT_THAT(session.err.text, IsEmpty());
}

TEST(Sub, prints_objects_for_programs) {
  SubSession session;
  session.start(sub, {session.server.url(), "--json", "--count=1"});
  const auto peer = session.answer(std::string(kStreamHead) + "id: 1\ndata: a\ndata: \x1B\n\n");
  EXPECT_EQ(session.wait_for_end(), kOk);
  EXPECT_EQ(session.out.text, "{\"id\":\"1\",\"type\":\"message\",\"data\":\"a\\n\\u001b\"}\n");
}

TEST(Sub, asks_a_hub_for_topics) {
  SubSession session;
  session.start(sub, {session.server.url(), "news", "/a b", "--from", "#A.7", "--count", "1"});
  const auto peer = session.answer(std::string(kStreamHead) + "data: a\n\n");
  EXPECT_EQ(session.wait_for_end(), kOk);
  EXPECT_THAT(session.request,
              StartsWith("GET /.well-known/mercure?match=news&match=%2Fa%20b HTTP/1.1\r\n"));
  EXPECT_THAT(session.request, HasSubstr("\r\nLast-Event-ID: #A.7\r\n"));
}

TEST(Sub, escapes_on_a_terminal_what_could_harm_it) {
  SubSession session;
  session.process.out_look.is_terminal = true;
  session.start(sub, {session.server.url(), "--count", "1"});
  const auto peer = session.answer(std::string(kStreamHead) + "data: \x1B[2J\n\n");
  EXPECT_EQ(session.wait_for_end(), kOk);
  EXPECT_EQ(session.out.text, "- message \\u{1B}[2J\n");
}

TEST(Sub, comes_back_and_goes_on_after_the_last_event) {
  SubSession session;
  session.start(sub, {session.server.url(), "--count", "2"});
  session.answer(std::string(kStreamHead) + "retry: 2000\nid: 1\ndata: a\n\n").end();
  session.wait_out("next attempt in 2.");
  const auto peer = session.answer(std::string(kStreamHead) + "id: 2\ndata: b\n\n");
  EXPECT_EQ(session.wait_for_end(), kOk);
  EXPECT_THAT(session.request, HasSubstr("\r\nLast-Event-ID: 1\r\n"));
  EXPECT_EQ(session.out.text, "1 message a\n2 message b\n");
  EXPECT_THAT(session.err.text, StartsWith("vrelo sub: the stream ended; next attempt in 2."));
  EXPECT_THAT(session.err.text, HasSubstr("vrelo sub: connected again\n"));
}

TEST(Sub, does_not_count_what_the_hub_says_itself) {
  SubSession session;
  session.start(sub, {session.server.url(), "--count", "1"});
  auto peer = session.answer(std::string(kStreamHead) + "event: vrelo.gap\ndata: {}\n\n");
  session.wait_for_output("vrelo.gap {}\n");
  EXPECT_EQ(session.status, std::nullopt);
  peer.send("data: a\n\n");
  EXPECT_EQ(session.wait_for_end(), kOk);
}

TEST(Sub, ends_with_its_stream_where_it_is_told_so) {
  SubSession session;
  session.start(sub, {session.server.url(), "--no-reconnect"});
  session.answer(std::string(kStreamHead) + "data: a\n\n").end();
  EXPECT_EQ(session.wait_for_end(), kOk);
  EXPECT_EQ(session.out.text, "- message a\n");
  EXPECT_THAT(session.err.text, IsEmpty());
}

TEST(Sub, tells_why_it_ends) {
  const struct {
    const char* what;
    std::string_view answer;
    int status;
    std::string_view said;
  } cases[] = {
      {"no more events", "HTTP/1.1 204 No Content\r\n\r\n", kOk, ""},
      {"refused",
       "HTTP/1.1 400 Bad Request\r\nContent-Type: application/problem+json\r\n"
       "Content-Length: 33\r\n\r\n{\"title\":\"empty\",\"field\":\"match\"}",
       kFailed, "vrelo sub: the hub refused (400): match: empty\n"},
      {"a page", "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n", kFailed,
       "vrelo sub: the answer is not an event stream: it is text/html\n"},
      {"nothing there", "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", kFailed,
       "vrelo sub: the hub refused (404): Not Found; a hub is asked for topics, which stand after "
       "its URL\n"},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.what);
    SubSession session;
    session.start(sub, {session.server.url(), "--no-reconnect"});
    session.answer(c.answer).end();
    EXPECT_EQ(session.wait_for_end(), c.status);
    EXPECT_EQ(session.err.text, c.said);
  }
}

TEST(Sub, has_a_status_of_its_own_where_nobody_is_there) {
  SubSession session;
  session.server.close();
  session.start(sub, {session.server.url(), "--no-reconnect"});
  EXPECT_EQ(session.wait_for_end(), kNotConnected);
  EXPECT_EQ(session.err.text, "vrelo sub: " + session.server.authority() +
                                  ": Connection refused; is a hub running there?\n");

  SubSession cut;
  cut.start(sub, {cut.server.url(), "--no-reconnect"});
  cut.answer("").end();
  EXPECT_EQ(cut.wait_for_end(), kNotConnected);
  EXPECT_EQ(cut.err.text, "vrelo sub: " + cut.server.authority() + ": the connection broke\n");
}

TEST(Sub, ends_as_by_sigpipe_where_nobody_reads) {
  SubSession writing;
  writing.out.error = make_error_code(boost::system::errc::broken_pipe);
  writing.start(sub, {writing.server.url()});
  const auto peer = writing.answer(std::string(kStreamHead) + "data: a\n\n");
  EXPECT_EQ(writing.wait_for_end(), 141);
  EXPECT_THAT(writing.err.text, IsEmpty());

  SubSession idle;
  idle.out.abandoned = true;
  idle.start(sub, {idle.server.url()});
  const auto idle_peer = idle.answer(std::string(kStreamHead) + ":\n");
  EXPECT_EQ(idle.wait_for_end(), 141);
}

TEST(Sub, says_what_is_wrong_with_its_output) {
  SubSession session;
  session.out.error = make_error_code(boost::system::errc::no_space_on_device);
  session.start(sub, {session.server.url()});
  const auto peer = session.answer(std::string(kStreamHead) + "data: a\n\n");
  EXPECT_EQ(session.wait_for_end(), kFailed);
  EXPECT_EQ(session.err.text, "vrelo sub: standard output: No space left on device\n");
}

TEST(Sub, refuses_arguments_that_make_no_sense) {
  const struct {
    std::vector<std::string> arguments;
    std::string_view said;
  } cases[] = {
      {{}, "vrelo sub: URL is required; see vrelo sub --help\n"},
      {{"127.0.0.1:1"},
       "vrelo sub: 127.0.0.1:1: this is not a URL; did you mean http://127.0.0.1:1?\n"},
      {{"http://a", "b", ""}, "vrelo sub: a TOPIC is empty; \"*\" asks for all of them\n"},
      {{"http://a", "--json=x"}, "vrelo sub: --json takes no value; see vrelo sub --help\n"},
      {{"http://a", "--count", "0"}, "vrelo sub: --count: \"0\" is not a number of events\n"},
      {{"http://a", "--count", "x"}, "vrelo sub: --count: \"x\" is not a number of events\n"},
      {{"http://a", "--from", "a\nb"}, "vrelo sub: --from has a control character\n"},
      {{"http://a", "--jsn"},
       "vrelo sub: there is no option --jsn; did you mean --json?; see vrelo sub --help\n"},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.said);
    SubSession session;
    session.start(sub, c.arguments);
    EXPECT_EQ(session.wait_for_end(), kUsage);
    EXPECT_EQ(session.err.text, c.said);
    EXPECT_THAT(session.out.text, IsEmpty());
  }
}

TEST(Sub, shows_examples_where_it_is_asked_for_help) {
  SubSession session;
  session.start(sub, {"--help"});
  EXPECT_EQ(session.wait_for_end(), kOk);
  EXPECT_THAT(session.out.text, HasSubstr("Examples:\n  vrelo sub http://127.0.0.1:3000 news\n"));
  EXPECT_THAT(session.err.text, IsEmpty());
}

}  // namespace
}  // namespace vrelo::cli
