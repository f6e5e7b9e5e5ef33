// SPDX-License-Identifier: Apache-2.0
#include "sse/client/event_source.h"

#include <chrono>
#include <functional>
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
#include "sse/decoder_testing.h"

namespace vrelo::sse::client {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;
using testing::AllOf;
using testing::ElementsAre;
using testing::Ge;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Le;
using testing::Not;
using testing::StartsWith;

constexpr std::string_view kStreamHead =
    "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n";
constexpr std::string_view kChunkedHead =
    "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n";

// A source, a server for it, and the time of both.
class Session final : public EventSourceObserver {
 public:
  struct Wait {
    Failure failure;
    milliseconds delay;
  };

  void start(EventSourceOptions options = {}, std::string_view target = "/") {
    source.emplace(network, *parse_url(server.url(target)), std::move(options), *this, 1);
    boost::asio::co_spawn(loop, source->run(), [this](std::exception_ptr, Failure failure) {
      end = std::move(failure);
    });
  }

  ~Session() {
    if (source && !end) {
      source->stop();
      run_until(loop, [this] { return end.has_value(); });
    }
  }

  // Accepts the next connection, reads its request and answers it.
  Peer answer(std::string_view bytes) {
    Peer peer = server.accept();
    requests.push_back(peer.receive());
    peer.send(bytes);
    return peer;
  }

  void wait_for_events(std::size_t count) {
    run_until(loop, [this, count] { return events.size() >= count; });
  }

  // Waits until there is no stream, for the `count`th time, and lets the delay before the next
  // attempt pass.
  void wait_out(std::size_t count = 1) {
    wait_for_wait(count);
    alarms.advance(waits.back().delay);
  }

  void wait_for_wait(std::size_t count) {
    run_until(loop, [this, count] { return waits.size() >= count; });
    ASSERT_EQ(waits.size(), count);
    run_until(loop, [this] { return alarms.next() == waits.back().delay; });
  }

  const Failure& wait_for_end() {
    run_until(loop, [this] { return end.has_value(); });
    return *end;
  }

  void on_open() override { ++opens; }
  void on_event(const Event& event) override {
    events.push_back(
        {std::string(event.type), std::string(event.data), std::string(event.last_event_id)});
    if (events.size() == stop_after) {
      source->stop();
    }
  }
  void on_pause() override { events_at_pause = events.size(); }
  void on_wait(const Failure& failure, milliseconds delay) override {
    waits.push_back({failure, delay});
  }

  boost::asio::io_context loop{1};
  TestServer server{loop};
  ManualAlarms alarms;
  boost::asio::ssl::context tls = make_tls_context();
  Network network{loop.get_executor(), tls, alarms.maker()};
  std::optional<EventSource> source;

  std::vector<std::string> requests;
  std::vector<SeenEvent> events;
  std::size_t events_at_pause = 0;
  std::size_t stop_after = 0;
  int opens = 0;
  std::vector<Wait> waits;
  std::optional<Failure> end;
};

TEST(EventSource, asks_for_a_stream_as_the_standard_says) {
  Session session;
  session.start({.fields = {{"Authorization", "Bearer x"}}}, "/a?match=b");
  session.answer("HTTP/1.1 204 No Content\r\n\r\n");
  EXPECT_EQ(session.requests[0],
            "GET /a?match=b HTTP/1.1\r\nHost: 127.0.0.1:" + std::to_string(session.server.port()) +
                "\r\nAccept: text/event-stream\r\nCache-Control: no-store\r\nUser-Agent: vrelo\r\n"
                "Authorization: Bearer x\r\n\r\n");
}

TEST(EventSource, hands_on_events_of_a_stream_of_either_framing_byte_by_byte) {
  for (const std::string_view stream :
       {"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\n\r\n"
        "id: 1\ndata: a\n\nevent: x\ndata: b\n\n",
        "HTTP/1.1 200 OK\r\nContent-Type: Text/Event-Stream\r\nTransfer-Encoding: chunked\r\n\r\n"
        "3\r\nid:\r\n19\r\n 1\ndata: a\n\nevent: x\ndata\r\n5\r\n: b\n\n\r\n"}) {
    SCOPED_TRACE(stream);
    Session session;
    session.start();
    Peer peer = session.answer("");
    for (const char& byte : stream) {
      peer.send({&byte, 1});
    }
    session.wait_for_events(2);
    EXPECT_THAT(session.events,
                ElementsAre(SeenEvent{"message", "a", "1"}, SeenEvent{"x", "b", "1"}));
    EXPECT_EQ(session.opens, 1);
    EXPECT_EQ(session.events_at_pause, 2U);
    EXPECT_EQ(session.source->last_event_id(), "1");
  }
}

TEST(EventSource, comes_back_after_the_retry_time_with_the_last_event_id) {
  Session session;
  session.start();
  session.answer(std::string(kStreamHead) + "retry: 4000\nid: 1\ndata: a\n\n").end();
  session.wait_out();
  EXPECT_EQ(session.waits[0].failure.error, Errc::kEnded);
  EXPECT_THAT(session.waits[0].delay, AllOf(Ge(seconds(4)), Le(seconds(5))));

  session.answer(std::string(kStreamHead) + "id: 2\ndata: b\n\n");
  session.wait_for_events(2);
  EXPECT_THAT(session.requests[0], Not(HasSubstr("Last-Event-ID")));
  EXPECT_THAT(session.requests[1], HasSubstr("\r\nLast-Event-ID: 1\r\n"));
  EXPECT_THAT(session.events,
              ElementsAre(SeenEvent{"message", "a", "1"}, SeenEvent{"message", "b", "2"}));
  EXPECT_EQ(session.opens, 2);
}

TEST(EventSource, begins_at_the_id_that_it_is_given) {
  Session session;
  session.start({.last_event_id = "earliest"});
  session.answer("HTTP/1.1 204 No Content\r\n\r\n");
  EXPECT_THAT(session.requests[0], HasSubstr("\r\nLast-Event-ID: earliest\r\n"));
}

TEST(EventSource, keeps_the_position_of_a_block_that_is_no_event) {
  Session session;
  session.start();
  session.answer(std::string(kStreamHead) + ": vrelo heartbeat=15\nretry: 1000\nid: #A.7\n\n")
      .end();
  session.wait_out();
  session.answer(kStreamHead);
  EXPECT_THAT(session.requests[1], HasSubstr("\r\nLast-Event-ID: #A.7\r\n"));
  EXPECT_THAT(session.events, IsEmpty());
}

TEST(EventSource, asks_again_for_an_event_that_was_cut_off) {
  const struct {
    const char* what;
    std::string stream;
    Errc errc;
  } cases[] = {
      {"between lines", std::string(kStreamHead) + "id: 1\ndata: a\n\nid: 2\ndata: b\n",
       Errc::kEnded},
      {"in a line", std::string(kStreamHead) + "id: 1\ndata: a\n\nid: 2\ndat", Errc::kEnded},
      {"in a chunk", std::string(kChunkedHead) + "12\r\nid: 1\ndata: a\n\nid", Errc::kCut},
      {"between chunks", std::string(kChunkedHead) + "f\r\nid: 1\ndata: a\n\n\r\n", Errc::kCut},
      {"at the last chunk", std::string(kChunkedHead) + "f\r\nid: 1\ndata: a\n\n\r\n0\r\n\r\n",
       Errc::kEnded},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.what);
    Session session;
    session.start();
    session.answer(c.stream).end();
    session.wait_out();
    EXPECT_EQ(session.waits[0].failure.error, c.errc);
    session.answer(std::string(kStreamHead) + "id: 2\ndata: b\n\n");
    session.wait_for_events(2);
    EXPECT_THAT(session.requests[1], HasSubstr("\r\nLast-Event-ID: 1\r\n"));
    EXPECT_THAT(session.events,
                ElementsAre(SeenEvent{"message", "a", "1"}, SeenEvent{"message", "b", "2"}));
  }
}

TEST(EventSource, goes_on_after_a_connection_was_reset) {
  Session session;
  session.start();
  Peer peer = session.answer(std::string(kStreamHead) + "id: 1\ndata: a\n\n");
  session.wait_for_events(1);
  peer.reset();
  session.wait_out();
  EXPECT_EQ(session.waits[0].failure.error, boost::asio::error::connection_reset);
  session.answer(kStreamHead);
  EXPECT_THAT(session.requests[1], HasSubstr("\r\nLast-Event-ID: 1\r\n"));
}

TEST(EventSource, goes_on_trying_at_growing_distances_where_nobody_listens) {
  Session session;
  session.server.close();
  session.start({.retry = seconds(2)});
  const milliseconds distances[] = {seconds(2),  seconds(4),  seconds(8), seconds(16),
                                    seconds(30), seconds(30), seconds(30)};
  std::size_t count = 0;
  for (const milliseconds distance : distances) {
    SCOPED_TRACE(++count);
    session.wait_out(count);
    EXPECT_EQ(session.waits.back().failure.error, boost::asio::error::connection_refused);
    EXPECT_FALSE(session.waits.back().failure.had_answer);
    EXPECT_THAT(session.waits.back().delay, AllOf(Ge(distance), Le(distance * 5 / 4)));
  }
  session.wait_for_wait(++count);
  session.server.reopen();
  session.alarms.advance(session.waits.back().delay);
  session.answer(std::string(kStreamHead) + "data: a\n\n").end();
  session.wait_for_wait(++count);
  EXPECT_THAT(session.waits.back().delay, Le(milliseconds(2500)));  // a stream ends the back-off
  EXPECT_EQ(session.events.size(), 1U);
}

TEST(EventSource, keeps_the_servers_wish_within_bounds) {
  const struct {
    std::string_view retry;
    milliseconds least;
  } cases[] = {{"0", milliseconds(500)}, {"4294967295", minutes(5)}};
  for (const auto& c : cases) {
    SCOPED_TRACE(c.retry);
    Session session;
    session.start();
    session.answer(std::string(kStreamHead) + "retry: " + std::string(c.retry) + "\n\n").end();
    session.wait_for_wait(1);
    EXPECT_THAT(session.waits[0].delay, AllOf(Ge(c.least), Le(c.least * 5 / 4)));
  }
}

TEST(EventSource, waits_out_what_passes_by_itself) {
  for (const std::string_view status : {"429 x", "502 x", "503 x", "504 x"}) {
    SCOPED_TRACE(status);
    Session session;
    session.start();
    session.answer("HTTP/1.1 " + std::string(status) +
                   "\r\nRetry-After: 20\r\nContent-Length: 0\r\n\r\n");
    session.wait_out();
    EXPECT_EQ(session.waits[0].failure.error, Errc::kRefused);
    EXPECT_THAT(session.waits[0].delay, AllOf(Ge(seconds(20)), Le(seconds(25))));
    session.answer(std::string(kStreamHead) + "data: a\n\n");
    session.wait_for_events(1);
  }
}

TEST(EventSource, ends_with_what_the_server_says_where_it_is_refused) {
  Session session;
  session.start();
  session.answer(
      "HTTP/1.1 400 Bad Request\r\nContent-Type: application/problem+json\r\n"
      "Content-Length: 12\r\n\r\n{\"status\":1}");
  const Failure& end = session.wait_for_end();
  EXPECT_EQ(end.error, Errc::kRefused);
  EXPECT_TRUE(end.had_answer);
  EXPECT_EQ(end.status, 400);
  EXPECT_EQ(end.content_type, "application/problem+json");
  EXPECT_EQ(end.body, "{\"status\":1}");
  EXPECT_EQ(session.opens, 0);
}

TEST(EventSource, takes_what_there_is_of_a_refusal_without_end) {
  Session session;
  session.start();
  session.answer("HTTP/1.1 404 x\r\n\r\n" + std::string(200'000, 'x'));
  EXPECT_EQ(session.wait_for_end().body.size(), 65'536U);

  Session slow;
  slow.start();
  Peer peer = slow.answer("HTTP/1.1 404 x\r\n\r\nnot here");
  settle(slow.loop);
  slow.alarms.advance(seconds(15));
  EXPECT_EQ(slow.wait_for_end().body, "not here");
}

TEST(EventSource, ends_where_waiting_would_not_help) {
  const std::string endless_line = std::string(kStreamHead) + "data: " + std::string(5'000, 'x');
  const struct {
    const char* what;
    std::string answer;
    boost::system::error_code error;
  } cases[] = {
      {"no more events", "HTTP/1.1 204 No Content\r\n\r\n", Errc::kNoContent},
      {"a page", "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<html>", Errc::kNotEventStream},
      {"no type", "HTTP/1.1 200 OK\r\n\r\ndata: a\n\n", Errc::kNotEventStream},
      {"a longer type", "HTTP/1.1 200 OK\r\nContent-Type: text/event-streams\r\n\r\n",
       Errc::kNotEventStream},
      {"compressed",
       "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Encoding: gzip\r\n\r\n",
       Errc::kNotEventStream},
      {"another protocol", "SSH-2.0-OpenSSH_9.2\r\n\r\n", Errc::kNotHttp},
      {"a head without end", "HTTP/1.1 200 OK\r\nX: " + std::string(100'000, 'x'),
       Errc::kHeadTooBig},
      {"an event without end", endless_line, sse::Errc::kEventTooBig},
      {"a redirect to nowhere", "HTTP/1.1 302 Found\r\n\r\n", Errc::kRedirectMalformed},
      {"a redirect to another protocol", "HTTP/1.1 302 Found\r\nLocation: ftp://a/\r\n\r\n",
       Errc::kRedirectMalformed},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.what);
    Session session;
    session.start({.limits = {.event_bytes_max = 4096}});
    const Peer peer = session.answer(c.answer);
    EXPECT_EQ(session.wait_for_end().error, c.error);
    EXPECT_THAT(session.waits, IsEmpty());
  }
}

TEST(EventSource, comes_back_to_a_server_that_once_spoke_http) {
  Session session;
  session.start();
  session.answer(kStreamHead).end();
  session.wait_out();
  session.answer("SSH-2.0-OpenSSH_9.2\r\n\r\n");
  session.wait_out(2);
  EXPECT_EQ(session.waits[1].failure.error, Errc::kNotHttp);
  session.answer(std::string(kStreamHead) + "data: a\n\n");
  session.wait_for_events(1);
}

TEST(EventSource, follows_redirects_and_begins_at_its_url_again) {
  for (const std::string_view status : {"301", "302", "303", "307", "308"}) {
    SCOPED_TRACE(status);
    Session session;
    session.start({.fields = {{"Authorization", "x"}}}, "/a/b?c");
    session.answer("HTTP/1.1 " + std::string(status) + " x\r\nLocation: d?e\r\n\r\n");
    session.answer(std::string(kStreamHead) + "data: a\n\n").end();
    session.wait_out();
    session.answer(kStreamHead);
    EXPECT_THAT(session.requests[1], StartsWith("GET /a/d?e HTTP/1.1\r\n"));
    EXPECT_THAT(session.requests[1], HasSubstr("Authorization"));
    EXPECT_THAT(session.requests[2], StartsWith("GET /a/b?c HTTP/1.1\r\n"));
  }
}

TEST(EventSource, tells_no_secret_to_another_origin_nor_after_it) {
  Session session;
  TestServer other(session.loop);
  session.start({.fields = {{"Authorization", "secret"}}, .last_event_id = "7"});
  session.answer("HTTP/1.1 307 x\r\nLocation: " + other.url("/x") + "\r\n\r\n");
  Peer peer = other.accept();
  const std::string request = peer.receive();
  peer.send("HTTP/1.1 307 x\r\nLocation: " + session.server.url("/y") + "\r\n\r\n");
  session.answer(std::string(kStreamHead) + "data: a\n\n");
  session.wait_for_events(1);
  EXPECT_THAT(session.requests[0], HasSubstr("secret"));
  EXPECT_THAT(request, AllOf(Not(HasSubstr("secret")), HasSubstr("Last-Event-ID: 7")));
  EXPECT_THAT(session.requests[1], AllOf(StartsWith("GET /y "), Not(HasSubstr("secret"))));
}

TEST(EventSource, ends_a_loop_of_redirects) {
  Session session;
  session.start();
  for (int i = 0; i < 21; ++i) {
    session.answer("HTTP/1.1 302 x\r\nLocation: /\r\n\r\n");
  }
  EXPECT_EQ(session.wait_for_end().error, Errc::kRedirectsTooMany);
}

TEST(EventSource, gives_a_server_a_limited_time_to_answer) {
  Session session;
  session.start({.open_time = seconds(15)});
  Peer peer = session.answer("HTTP/1.1 302 x\r\nLocation: /slow\r\n\r\n");
  session.alarms.advance(seconds(14));
  Peer slow = session.answer("HTTP/1.1 200 OK\r\n");
  settle(session.loop);
  EXPECT_THAT(session.waits, IsEmpty());
  session.alarms.advance(seconds(1));
  session.wait_for_wait(1);
  EXPECT_EQ(session.waits[0].failure.error, Errc::kTimedOut);
  slow.expect_close();
}

TEST(EventSource, takes_a_silent_stream_for_broken) {
  const struct {
    const char* what;
    std::string_view first;
    milliseconds silence;
  } cases[] = {
      {"nothing announced", ":\n", seconds(60)},
      {"a heartbeat", ": vrelo heartbeat=15\n", milliseconds(37'500)},
      {"a heartbeat without a space", ":vrelo heartbeat=2\n", seconds(5)},
      {"no heartbeat", ": vrelo heartbeat=0\n", seconds(60)},
      {"one that is none", ": vrelo heartbeat=15x\n", seconds(60)},
      {"one that is too long", ": vrelo heartbeat=3601\n", seconds(60)},
      {"one too large for a number", ": vrelo heartbeat=99999999999\n", seconds(60)},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.what);
    Session session;
    session.start();
    Peer peer = session.answer(kStreamHead);
    peer.send(c.first);
    run_until(session.loop, [&] { return session.alarms.next() == c.silence; });

    // Each byte is a sign of life.
    session.alarms.advance(c.silence - milliseconds(1));
    peer.send(":");
    run_until(session.loop, [&] { return session.alarms.next() == c.silence; });

    session.alarms.advance(c.silence);
    session.wait_for_wait(1);
    EXPECT_EQ(session.waits[0].failure.error, Errc::kSilent);
    peer.expect_close();
  }
}

TEST(EventSource, does_not_come_back_where_it_is_told_so) {
  Session session;
  session.start({.reconnects = false});
  session.answer(std::string(kStreamHead) + "data: a\n\n").end();
  EXPECT_EQ(session.wait_for_end().error, Errc::kEnded);
  EXPECT_EQ(session.events.size(), 1U);

  Session refused;
  refused.server.close();
  refused.start({.reconnects = false});
  EXPECT_EQ(refused.wait_for_end().error, boost::asio::error::connection_refused);
}

TEST(EventSource, hands_on_no_event_after_it_was_stopped) {
  Session session;
  session.stop_after = 2;
  session.start();
  session.answer(std::string(kStreamHead) +
                 "id: 1\ndata: a\n\nid: 2\ndata: b\n\nid: 3\ndata: c\n\n");
  EXPECT_EQ(session.wait_for_end().error, boost::asio::error::operation_aborted);
  EXPECT_EQ(session.events.size(), 2U);
  EXPECT_EQ(session.events_at_pause, 2U);
  EXPECT_EQ(session.source->last_event_id(), "2");
}

TEST(EventSource, can_be_stopped_at_any_moment) {
  Session connecting;
  connecting.start();
  connecting.source->stop();
  EXPECT_EQ(connecting.wait_for_end().error, boost::asio::error::operation_aborted);

  Session waiting;
  waiting.server.close();
  waiting.start();
  waiting.wait_for_wait(1);
  waiting.source->stop();
  EXPECT_EQ(waiting.wait_for_end().error, boost::asio::error::operation_aborted);

  Session asking;
  asking.start();
  Peer peer = asking.server.accept();
  peer.receive();
  asking.source->stop();
  EXPECT_EQ(asking.wait_for_end().error, boost::asio::error::operation_aborted);

  Session reading;
  reading.start();
  const Peer stream = reading.answer(std::string(kStreamHead) + "data: a\n\n");
  reading.wait_for_events(1);
  reading.source->stop();
  EXPECT_EQ(reading.wait_for_end().error, boost::asio::error::operation_aborted);
}

}  // namespace
}  // namespace vrelo::sse::client
