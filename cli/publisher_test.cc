// SPDX-License-Identifier: Apache-2.0
#include "cli/publisher.h"

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/io_context.hpp>

#include "sse/client/alarm_testing.h"
#include "sse/client/server_testing.h"

namespace vrelo::cli {
namespace {

using sse::client::Errc;
using sse::client::Failure;
using sse::client::Peer;
using sse::client::run_until;
using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::AllOf;
using testing::ElementsAre;
using testing::Ge;
using testing::IsEmpty;
using testing::Le;

std::string answer_of(std::string_view body,
                      std::string_view status = "200 OK",
                      std::string_view fields = "") {
  return "HTTP/1.1 " + std::string(status) + "\r\n" + std::string(fields) +
         "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + std::string(body);
}

// A publisher, a server for it, and the time of both.
class Session final : public PublisherObserver {
 public:
  void publish(std::vector<std::string> forms) {
    is_done = false;
    boost::asio::co_spawn(loop, publisher.publish(std::move(forms)),
                          [this](std::exception_ptr, std::optional<Failure> result) {
                            failure = std::move(result);
                            is_done = true;
                          });
  }

  void wait_for_end() {
    run_until(loop, [this] { return is_done; });
  }

  // Waits until the publisher waits for the `count`th time, and lets the delay pass.
  void wait_out(std::size_t count) {
    run_until(loop, [this, count] { return waits.size() >= count; });
    ASSERT_EQ(waits.size(), count);
    run_until(loop, [this] { return alarms.next() == waits.back(); });
    alarms.advance(waits.back());
  }

  // Accepts the next connection, and reads the bodies of `count` requests.
  Peer accept(std::size_t count) {
    Peer peer = server.accept();
    read(peer, count);
    return peer;
  }
  void read(Peer& peer, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
      const std::string head = peer.receive();
      constexpr std::string_view kLength = "Content-Length: ";
      const std::size_t length = std::stoul(head.substr(head.find(kLength) + kLength.size()));
      requests.push_back(peer.receive(length));
    }
  }

  void on_published(std::size_t index, std::string_view id) override {
    published.push_back(std::to_string(index) + ' ' + std::string(id));
  }
  void on_refused(std::size_t index, const Failure& why) override {
    refused.push_back(std::to_string(index) + ' ' + std::to_string(why.status) + ' ' + why.body);
  }
  void on_wait(const Failure& why, milliseconds delay) override {
    reasons.push_back(why);
    waits.push_back(delay);
  }

  boost::asio::io_context loop{1};
  sse::client::TestServer server{loop};
  sse::client::ManualAlarms alarms;
  boost::asio::ssl::context tls = sse::client::make_tls_context();
  sse::client::Network network{loop.get_executor(), tls, alarms.maker()};
  Publisher publisher{network, *sse::client::parse_url(server.url()), {}, *this, 1};

  std::vector<std::string> requests;
  std::vector<std::string> published;
  std::vector<std::string> refused;
  std::vector<Failure> reasons;
  std::vector<milliseconds> waits;
  std::optional<Failure> failure;
  bool is_done = false;
};

TEST(Publisher, sends_a_batch_before_it_reads_answers_and_keeps_the_connection) {
  Session session;
  session.publish({"a", "b", "c"});
  Peer peer = session.accept(3);
  for (const std::string_view id : {"1", "2", "3"}) {
    for (const char& byte : answer_of(id)) {
      peer.send({&byte, 1});
    }
  }
  session.wait_for_end();
  EXPECT_FALSE(session.failure);
  EXPECT_THAT(session.requests, ElementsAre("a", "b", "c"));
  EXPECT_THAT(session.published, ElementsAre("0 1", "1 2", "2 3"));

  session.publish({"d"});
  session.read(peer, 1);
  peer.send(answer_of("4"));
  session.wait_for_end();
  EXPECT_EQ(session.requests.back(), "d");
}

TEST(Publisher, sends_again_what_has_no_answer) {
  Session session;
  session.publish({"a", "b", "c"});
  {
    Peer peer = session.accept(3);
    peer.send(answer_of("1"));
    run_until(session.loop, [&] { return session.alarms.next() == Publisher::kAnswerTime; });
    peer.send("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n");
    peer.end();
  }
  Peer peer = session.accept(2);  // at once: the answer said that there is a hub
  peer.send(answer_of("2") + answer_of("3"));
  session.wait_for_end();
  EXPECT_FALSE(session.failure);
  EXPECT_THAT(session.requests, ElementsAre("a", "b", "c", "b", "c"));
  EXPECT_THAT(session.published, ElementsAre("0 1", "1 2", "2 3"));
  EXPECT_THAT(session.waits, IsEmpty());
}

TEST(Publisher, waits_out_what_passes_by_itself) {
  for (const std::string_view status : {"429 x", "502 x", "503 x", "504 x", "507 x"}) {
    SCOPED_TRACE(status);
    Session session;
    session.publish({"a", "b"});
    Peer peer = session.accept(2);
    peer.send(answer_of("busy", status, "Retry-After: 3\r\n") + answer_of("2"));
    session.wait_out(1);
    EXPECT_THAT(session.waits[0], AllOf(Ge(seconds(3)), Le(milliseconds(3750))));
    EXPECT_EQ(session.reasons[0].body, "busy");
    EXPECT_THAT(session.published, IsEmpty());  // they are told of in order
    session.read(peer, 1);
    peer.send(answer_of("1"));
    session.wait_for_end();
    EXPECT_FALSE(session.failure);
    EXPECT_THAT(session.requests, ElementsAre("a", "b", "a"));
    EXPECT_THAT(session.published, ElementsAre("0 1", "1 2"));
  }
}

TEST(Publisher, gives_up_on_a_hub_that_stays_busy) {
  Session session;
  session.publish({"a", "b"});
  Peer peer = session.accept(2);
  peer.send(answer_of("", "503 x") + answer_of("2"));
  milliseconds waited(0);
  for (std::size_t attempt = 1; attempt < Publisher::kAttemptsMax; ++attempt) {
    session.wait_out(attempt);
    waited += session.waits.back();
    session.read(peer, 1);
    peer.send(answer_of("", "503 x"));
  }
  session.wait_for_end();
  ASSERT_TRUE(session.failure);
  EXPECT_EQ(session.failure->status, 503);
  EXPECT_THAT(waited, AllOf(Ge(seconds(30)), Le(seconds(39))));
  EXPECT_THAT(session.published, ElementsAre("1 2"));
}

TEST(Publisher, tells_of_each_event_that_is_refused) {
  Session session;
  session.publish({"a", "b", "c"});
  Peer peer = session.accept(3);
  peer.send(answer_of("1") + answer_of("no", "400 Bad Request") +
            answer_of("", "307 x", "Location: https://b.example/\r\n"));
  session.wait_for_end();
  EXPECT_FALSE(session.failure);
  EXPECT_THAT(session.published, ElementsAre("0 1"));
  EXPECT_THAT(session.refused, ElementsAre("1 400 no", "2 307 it redirects to https://b.example/"));
}

TEST(Publisher, takes_no_answer_for_an_id_that_is_none) {
  const struct {
    std::string_view body;
    std::string_view content_type;
    bool is_id;
  } cases[] = {
      {"<html>Hello", "text/html", false},
      {"{\"ok\":true}", "application/json", false},
      {"", "text/plain", false},
      {"a\nb", "text/plain", false},
      {"a", "text/html; charset=UTF-8", true},  // what some frameworks call any answer
      {"{a}", "text/plain", true},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.body);
    Session session;
    session.publish({"a"});
    Peer peer = session.accept(1);
    peer.send(answer_of(c.body, "200 OK", "Content-Type: " + std::string(c.content_type) + "\r\n"));
    session.wait_for_end();
    EXPECT_EQ(session.published.size(), c.is_id ? 1U : 0U);
    EXPECT_EQ(session.refused.size(), c.is_id ? 0U : 1U);
  }
}

TEST(Publisher, does_not_try_again_where_nobody_listens) {
  Session session;
  session.server.close();
  session.publish({"a"});
  session.wait_for_end();
  ASSERT_TRUE(session.failure);
  EXPECT_EQ(session.failure->error, boost::asio::error::connection_refused);
  EXPECT_FALSE(session.failure->had_answer);
  EXPECT_THAT(session.waits, IsEmpty());
}

TEST(Publisher, comes_back_to_a_hub_that_is_away_for_a_while) {
  Session session;
  session.publish({"a"});
  {
    Peer peer = session.accept(1);
    session.server.close();
    peer.reset();
  }
  session.wait_out(1);
  session.wait_out(2);
  EXPECT_EQ(session.reasons[1].error, boost::asio::error::connection_refused);
  session.server.reopen();  // before the loop goes on to the next attempt
  Peer peer = session.accept(1);
  peer.send(answer_of("1"));
  session.wait_for_end();
  EXPECT_FALSE(session.failure);
}

TEST(Publisher, opens_a_new_connection_at_once_where_an_idle_one_was_closed) {
  const struct {
    const char* what;
    std::string_view last_words;
  } cases[] = {
      {"in silence", ""},
      {"with a status for nobody", "HTTP/1.1 408 x\r\nContent-Length: 0\r\n\r\n"},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.what);
    Session session;
    session.publish({"a"});
    {
      Peer peer = session.accept(1);
      peer.send(answer_of("1"));
      session.wait_for_end();
      peer.send(c.last_words);
      peer.end();
    }
    session.publish({"b"});
    Peer peer = session.accept(1);
    peer.send(answer_of("2"));
    session.wait_for_end();
    EXPECT_FALSE(session.failure);
    EXPECT_THAT(session.requests, ElementsAre("a", "b"));
    EXPECT_THAT(session.published, ElementsAre("0 1", "0 2"));
    EXPECT_THAT(session.waits, IsEmpty());
  }
}

TEST(Publisher, opens_a_new_connection_where_the_hub_closes_after_an_answer) {
  Session session;
  session.publish({"a", "b"});
  Peer first = session.accept(2);
  first.send(answer_of("1", "200 OK", "Connection: close\r\n"));
  Peer second = session.accept(1);
  second.send("HTTP/1.1 200 OK\r\n\r\n2");
  second.end();
  session.wait_for_end();
  EXPECT_FALSE(session.failure);
  EXPECT_THAT(session.published, ElementsAre("0 1", "1 2"));
}

TEST(Publisher, reads_why_a_request_is_refused_that_nobody_takes_to_its_end) {
  Session session;
  session.publish({std::string(std::size_t{20} << 20, 'x')});
  Peer peer = session.server.accept();
  peer.receive();
  peer.send(answer_of("too long", "413 x", "Connection: close\r\n"));
  peer.end();
  session.wait_for_end();
  EXPECT_THAT(session.refused, ElementsAre("0 413 too long"));
}

TEST(Publisher, takes_a_hub_that_does_not_answer_for_broken) {
  Session session;
  session.publish({"a"});
  Peer peer = session.accept(1);
  run_until(session.loop, [&] { return session.alarms.next() == Publisher::kAnswerTime; });
  session.alarms.advance(Publisher::kAnswerTime);
  run_until(session.loop, [&] { return !session.waits.empty(); });
  EXPECT_EQ(session.reasons[0].error, Errc::kTimedOut);
  peer.expect_close();
  session.wait_out(1);
  Peer next = session.accept(1);
  next.send(answer_of("1"));
  session.wait_for_end();
  EXPECT_FALSE(session.failure);
}

TEST(Publisher, ends_where_waiting_would_not_help) {
  const struct {
    const char* what;
    std::string answer;
    Errc errc;
  } cases[] = {
      {"another protocol", "SSH-2.0-OpenSSH_9.2\r\n\r\n", Errc::kNotHttp},
      {"a head without end", "HTTP/1.1 200 OK\r\nX: " + std::string(100'000, 'x'),
       Errc::kHeadTooBig},
      {"an answer without end", "HTTP/1.1 200 OK\r\n\r\n" + std::string(200'000, 'x'),
       Errc::kAnswerTooBig},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.what);
    Session session;
    session.publish({"a"});
    Peer peer = session.accept(1);
    peer.send(c.answer);
    session.wait_for_end();
    ASSERT_TRUE(session.failure);
    EXPECT_EQ(session.failure->error, c.errc);
    EXPECT_TRUE(session.failure->had_answer);
    EXPECT_THAT(session.waits, IsEmpty());
  }
}

}  // namespace
}  // namespace vrelo::cli
