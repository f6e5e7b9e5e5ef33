// SPDX-License-Identifier: Apache-2.0
#include "cli/pub.h"

#include <string>
#include <string_view>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/commands.h"
#include "cli/process_testing.h"

namespace vrelo::cli {
namespace {

using sse::client::Peer;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

std::string answer_of(std::string_view body, std::string_view fields = "") {
  return "HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset=utf-8\r\n" + std::string(fields) +
         "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + std::string(body);
}

std::string refusal_of(std::string_view status, std::string_view fields, std::string_view body) {
  return "HTTP/1.1 " + std::string(status) + "\r\n" + std::string(fields) +
         "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + std::string(body);
}

// Reads a request off `peer` whose body is `form`.
void expect_request(Peer& peer, std::string_view form) {
  EXPECT_THAT(peer.receive(),
              HasSubstr("\r\nContent-Length: " + std::to_string(form.size()) + "\r\n"));
  EXPECT_EQ(peer.receive(form.size()), form);
}

TEST(Pub, publishes_an_event_and_prints_its_id) {
  CommandSession session;
  session.start(pub, {session.server.url(), "news", "Hello, world"});
  Peer peer = session.server.accept();
  EXPECT_EQ(peer.receive(), "POST /.well-known/mercure HTTP/1.1\r\nHost: 127.0.0.1:" +
                                std::to_string(session.server.port()) +
                                "\r\nUser-Agent: vrelo\r\n"
                                "Content-Type: application/x-www-form-urlencoded\r\n"
                                "Content-Length: 40\r\n\r\n");
  EXPECT_EQ(peer.receive(40U), "topic=news&data=Hello%2C%20world&id=id-1");
  peer.send(answer_of("id-1"));
  EXPECT_EQ(session.wait_for_end(), kOk);
  EXPECT_EQ(session.out.text, "id-1\n");
}

TEST(Pub, sends_what_the_options_say) {
  CommandSession session;
  session.start(pub, {session.server.url("/hub"), "a", "--topic", "b", "--type", "t", "--id", "i",
                      "--retry", "2000", "--private", "--", "-d"});
  Peer peer = session.server.accept();
  expect_request(peer, "topic=a&topic=b&data=-d&id=i&type=t&retry=2000&private=on");
  peer.send(answer_of("i"));
  EXPECT_EQ(session.wait_for_end(), kOk);
  EXPECT_EQ(session.out.text, "i\n");
  EXPECT_THAT(session.err.text, IsEmpty());
}

TEST(Pub, takes_the_data_from_standard_input) {
  for (const bool is_named : {false, true}) {
    SCOPED_TRACE(is_named);
    CommandSession session;
    std::vector<std::string> arguments{session.server.url(), "a"};
    if (is_named) {
      arguments.emplace_back("-");
    }
    session.start(pub, arguments);
    session.in.write("b\n");
    sse::client::settle(session.loop);
    session.in.write("c\n\n");
    session.in.close_writer();
    Peer peer = session.server.accept();
    expect_request(peer, "topic=a&data=b%0Ac%0A&id=id-1");
    peer.send(answer_of("id-1"));
    EXPECT_EQ(session.wait_for_end(), kOk);
  }
}

TEST(Pub, publishes_lines_over_one_connection_as_they_come) {
  CommandSession session;
  session.start(pub, {session.server.url(), "a", "--ndjson", "--type", "t"});
  session.in.write(
      "{\"data\":\"1\"}\n\n{\"data\":{\"x\":2},\"topic\":[\"b\",\"c\"],\"id\":\"i\"}\n{\"da");
  Peer peer = session.server.accept();
  expect_request(peer, "topic=a&data=1&id=id-1&type=t");
  expect_request(peer, "topic=b&topic=c&data=%7B%22x%22%3A2%7D&id=i&type=t");  // unanswered so far
  peer.send(answer_of("id-1") + answer_of("i"));
  sse::client::run_until(session.loop, [&] { return session.out.text == "id-1\ni\n"; });
  session.in.write("ta\":\"3\"}");
  session.in.close_writer();
  expect_request(peer, "topic=a&data=3&id=id-2&type=t");
  peer.send(answer_of("id-2"));
  EXPECT_EQ(session.wait_for_end(), kOk);
  EXPECT_EQ(session.out.text, "id-1\ni\nid-2\n");
}

TEST(Pub, ends_at_the_first_line_that_is_no_event) {
  CommandSession session;
  session.start(pub, {session.server.url(), "a", "--ndjson"});
  session.in.write("{\"data\":\"1\"}\n{\"dat\":\"2\"}\n{\"data\":\"3\"}\n");
  Peer peer = session.server.accept();
  expect_request(peer, "topic=a&data=1&id=id-1");
  peer.send(answer_of("id-1"));
  EXPECT_EQ(session.wait_for_end(), kFailed);
  EXPECT_EQ(session.out.text, "id-1\n");
  EXPECT_EQ(session.err.text,
            "vrelo pub: line 2: \"dat\" is no member of an event; did you mean data?\n"
            "vrelo pub: events published: 1\n");
  peer.expect_close();
}

TEST(Pub, ends_at_the_first_line_that_the_hub_refuses) {
  CommandSession session;
  session.start(pub, {session.server.url(), "a", "--ndjson"});
  session.in.write("{\"data\":\"1\"}\n{\"data\":\"2\"}\n{\"data\":\"3\"}\n");
  Peer peer = session.server.accept();
  expect_request(peer, "topic=a&data=1&id=id-1");
  peer.send(answer_of("id-1") + refusal_of("400 Bad Request", "", "no") + answer_of("id-3"));
  EXPECT_EQ(session.wait_for_end(), kFailed);
  EXPECT_EQ(session.out.text, "id-1\nid-3\n");  // it was on its way already
  EXPECT_EQ(session.err.text,
            "vrelo pub: line 2: the hub refused (400): no\n"
            "vrelo pub: events published: 2\n");
}

TEST(Pub, says_of_how_many_lines_nothing_is_known) {
  CommandSession session;
  session.start(pub, {session.server.url(), "a", "--ndjson"});
  session.in.write("{\"data\":\"1\"}\n{\"data\":\"2\"}\n{\"data\":\"3\"}\n");
  {
    Peer peer = session.server.accept();
    peer.receive();
    peer.send(answer_of("id-1"));
    peer.end();
  }
  Peer peer = session.server.accept();
  peer.receive();
  peer.send("SSH-2.0\r\n\r\n");
  EXPECT_EQ(session.wait_for_end(), kFailed);
  EXPECT_THAT(session.err.text,
              HasSubstr("\nvrelo pub: events published: 1; without an answer: 2\n"));
}

TEST(Pub, asks_again_with_the_same_id_where_an_answer_is_lost) {
  CommandSession session;
  session.start(pub, {session.server.url(), "a", "b"});
  {
    Peer peer = session.server.accept();
    expect_request(peer, "topic=a&data=b&id=id-1");
    peer.reset();
  }
  session.wait_out("next attempt in 0.");
  Peer peer = session.server.accept();
  expect_request(peer, "topic=a&data=b&id=id-1");
  peer.send(answer_of("id-1"));
  EXPECT_EQ(session.wait_for_end(), kOk);
  EXPECT_EQ(session.out.text, "id-1\n");
  EXPECT_THAT(session.err.text, StartsWith("vrelo pub: " + session.server.authority() +
                                           ": Connection reset by peer; next attempt in 0."));
}

TEST(Pub, refuses_arguments_that_make_no_sense) {
  const struct {
    std::vector<std::string> arguments;
    std::string_view said;
  } cases[] = {
      {{}, "vrelo pub: URL is required; see vrelo pub --help\n"},
      {{"http://a"}, "vrelo pub: there is no topic: it stands behind the URL\n"},
      {{"ftp://a", "b"}, "vrelo pub: ftp://a: the URL must begin with http:// or https://\n"},
      {{"http://a", "b", "c", "d"},
       "vrelo pub: \"d\" is one argument too many; see vrelo pub --help\n"},
      {{"http://a", "b", "--retry", "1s"},
       "vrelo pub: --retry: \"1s\" is not a whole number of milliseconds\n"},
      {{"http://a", "b", "c", "--ndjson"},
       "vrelo pub: --ndjson reads standard input, so that there is no place for DATA\n"},
      {{"http://a", "--ndjson", "--id", "x"},
       "vrelo pub: --ndjson publishes many events, which cannot all have the same --id\n"},
      {{"http://a", "b", "--tipe", "x"},
       "vrelo pub: there is no option --tipe; did you mean --type?; see vrelo pub --help\n"},
      {{"http://a", "b", "-hello"},
       "vrelo pub: there is no option -hello; what begins with - and is none stands behind --; see "
       "vrelo pub --help\n"},
      {{"http://a", "b", "-x"},
       "vrelo pub: there is no option -x; what begins with - and is none stands behind --; see "
       "vrelo pub --help\n"},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.said);
    CommandSession session;
    session.start(pub, c.arguments);
    EXPECT_EQ(session.wait_for_end(), kUsage);
    EXPECT_EQ(session.err.text, c.said);
    EXPECT_THAT(session.out.text, IsEmpty());
  }
}

TEST(Pub, shows_examples_where_it_is_asked_for_help) {
  CommandSession session;
  session.start(pub, {"-h"});
  EXPECT_EQ(session.wait_for_end(), kOk);
  EXPECT_THAT(session.out.text, HasSubstr("Examples:\n  vrelo pub http://127.0.0.1:3000 news"));
}

TEST(Pub, has_a_status_of_its_own_where_nobody_is_there) {
  CommandSession session;
  session.server.close();
  session.start(pub, {session.server.url(), "a", "b"});
  EXPECT_EQ(session.wait_for_end(), kNotConnected);
  EXPECT_EQ(session.err.text, "vrelo pub: " + session.server.authority() +
                                  ": Connection refused; is a hub running there?\n");
}

TEST(Pub, ends_as_by_sigpipe_where_nobody_reads_its_ids) {
  CommandSession session;
  session.out.error = make_error_code(boost::system::errc::broken_pipe);
  session.start(pub, {session.server.url(), "a", "--ndjson"});
  session.in.write("{}\n");
  Peer peer = session.server.accept();
  peer.receive();
  peer.send(answer_of("id-1"));
  EXPECT_EQ(session.wait_for_end(), 141);
  EXPECT_THAT(session.err.text, IsEmpty());
}

TEST(Pub, escapes_the_ids_of_a_hub_on_a_terminal) {
  CommandSession session;
  session.process.out_look.is_terminal = true;
  session.start(pub, {session.server.url(), "a", "b"});
  Peer peer = session.server.accept();
  peer.receive();
  peer.send(answer_of("\x1B[2J"));
  EXPECT_EQ(session.wait_for_end(), kOk);
  EXPECT_EQ(session.out.text, "\\u{1B}[2J\n");
}

TEST(Pub, refuses_an_input_that_is_too_long_for_an_event) {
  CommandSession session;
  session.start(pub, {session.server.url(), "a", "--ndjson"});
  const std::string piece(60'000, 'x');
  while (!session.status) {
    session.in.write(piece);
    sse::client::settle(session.loop);
  }
  EXPECT_EQ(session.status, kFailed);
  EXPECT_EQ(session.err.text,
            "vrelo pub: line 1 is longer than 16777216 bytes\nvrelo pub: events published: 0\n");
}

}  // namespace
}  // namespace vrelo::cli
