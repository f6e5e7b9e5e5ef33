// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/wait_traits.hpp>

#include "sse/client/connection.h"
#include "sse/client/errc.h"
#include "sse/client/response_reader.h"
#include "sse/client/task.h"
#include "sse/client/url.h"
#include "sse/decoder.h"

namespace vrelo::sse::client {

// Why there is no stream, or none any more.
struct Failure {
  boost::system::error_code error;

  // Whether the server has said anything: if not, one might ask whether it is there at all.
  bool had_answer = false;

  // Of kRefused and kNotEventStream: what it said.
  int status = 0;
  std::string content_type = {};
  std::string body = {};  // at most 64 KiB of it
};

// Receives what an EventSource finds. The calls come from its loop, in the order of the stream.
// They may call stop() and must not throw.
class EventSourceObserver {
 public:
  // A stream is open: the first one, or one after an on_wait().
  virtual void on_open() = 0;

  virtual void on_event(const Event& event) = 0;

  // All events that have come are handed on: the moment to write out what was collected.
  virtual void on_pause() = 0;

  // There is no stream; the next attempt is in `delay`.
  virtual void on_wait(const Failure& failure, std::chrono::milliseconds delay) = 0;

 protected:
  ~EventSourceObserver() = default;  // the source does not own its observer
};

struct EventSourceOptions {
  std::vector<std::pair<std::string, std::string>> fields = {};  // further ones of the request
  std::string last_event_id = {};                                // where to begin; "": now
  bool reconnects = true;

  std::chrono::milliseconds retry =
      std::chrono::seconds(1);  // until the server says something else
  std::chrono::milliseconds open_time = std::chrono::seconds(15);  // from the look-up to the head
  std::chrono::milliseconds silence_max =
      std::chrono::seconds(60);  // until the server says: see below
  DecoderLimits limits = {};
};

// Reads the events of a URL for as long as there are any, over as many connections as it takes:
// each begins where the one before it broke off, so that none is lost or seen twice.
//
// It goes on trying whatever passes by itself: a server that is not there, a connection that broke,
// the statuses 429, 502, 503 and 504. Attempts that fail follow each other at a distance that
// doubles up to 30 s; where the server asks for a longer one (`retry`, Retry-After), that holds, up
// to 5 min. Each is lengthened by up to a quarter, by chance. What no waiting heals ends it; and so
// does, before there was ever a stream, what a wrong URL looks like: a host that does not exist,
// TLS that fails, not HTTP.
//
// A stream that brings nothing for `silence_max` is taken for broken. A server that announces its
// heartbeat ("vrelo heartbeat=15" in a comment, seconds) is given 2.5 of them instead.
//
// Threads: one, that of its loop.
// Lifetime: must outlive run(); `network` and `observer` must outlive it.
// Source: WHATWG HTML 9.2. Beyond it: the statuses above, the distances, and the limits. Redirects
// are followed as fetch does, at most 20 at an attempt, but never from https to http; `fields` go
// to the origin of the URL only.
class EventSource {
 public:
  EventSource(const Network& network,
              Url url,
              EventSourceOptions options,
              EventSourceObserver& observer,
              std::uint32_t seed);

  EventSource(const EventSource&) = delete;
  EventSource& operator=(const EventSource&) = delete;

  // Returns why there are no more events: operation_aborted after stop().
  //
  // Order: once.
  Task<Failure> run();

  // Ends run() soon. Inside on_event(): no event is handed on after that one.
  void stop();

  // The id to begin with in order to go on after the last event that was handed on; "": none yet.
  std::string_view last_event_id() const { return last_event_id_; }

 private:
  class StreamSink;
  using Milliseconds = std::chrono::milliseconds;

  Task<Failure> attempt();
  Task<boost::system::error_code> follow_to_head();
  Task<boost::system::error_code> read_head(Url url, bool is_own_origin);
  Task<Failure> read_refusal();
  Task<boost::system::error_code> read_stream();
  Task<boost::system::error_code> read_more();
  Task<void> wait(Milliseconds delay);

  std::string request_head(const Url& url, bool is_own_origin) const;
  void on_late();
  bool is_final(const Failure& failure) const;
  Milliseconds next_delay();

  const Network& network_;
  const Url url_;
  const EventSourceOptions options_;
  EventSourceObserver& observer_;
  std::minstd_rand random_;

  std::string last_event_id_;
  Milliseconds retry_;
  bool was_open_ = false;         // at least once
  unsigned failed_attempts_ = 0;  // since the last stream
  bool is_stopped_ = false;

  // Of the current attempt.
  std::optional<Connection> connection_;
  ResponseReader reader_;
  std::vector<char> buffer_;
  std::unique_ptr<Alarm> deadline_;  // for the head; then for the next bytes of the stream
  bool is_late_ = false;
  bool had_answer_ = false;
  Milliseconds silence_max_;

  // Waiting for the next one: the timer never ends by itself, so that cancelling it is what wakes
  // run().
  std::unique_ptr<Alarm> delay_alarm_;
  boost::asio::basic_waitable_timer<std::chrono::steady_clock,
                                    boost::asio::wait_traits<std::chrono::steady_clock>,
                                    Executor>
      wake_;
};

}  // namespace vrelo::sse::client
