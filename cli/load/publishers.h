// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "cli/load/histogram.h"
#include "cli/load/message.h"
#include "cli/load/workload.h"
#include "hub/base/descriptor.h"
#include "sse/client/response_reader.h"

namespace vrelo::cli::load {

// What came of the requests of publishers.
struct PublisherCounts {
  std::chrono::steady_clock::time_point first_sent;
  std::chrono::steady_clock::time_point last_answer;
  std::uint64_t accepted = 0;    // answered with a status of 200 to 299
  std::uint64_t failed = 0;      // answered with another, or not at all
  std::uint64_t reconnects = 0;  // after a connection that the server ended
  std::string first_failure;
};

// Publishes a workload's events over connections that take turns: connection c of K sends the
// events c, c + K, c + 2 K….
//
// With a rate, event n is due n / rate seconds after the first, whether the server keeps up or not.
// Where it had to wait for a connection, its message holds the time at which it was due, so that a
// server that stands still for a while does not look fast. Source: coordinated omission, by Gil
// Tene.
//
// Threads: one makes it and reads the counts, before and after run(); run() may have one of its
// own, and what says "any" may be called from any meanwhile.
// Lifetime: `workload` and `messages` must outlive it.
class Publishers {
 public:
  Publishers(const Workload& workload, const Messages& messages);

  Publishers(const Publishers&) = delete;
  Publishers& operator=(const Publishers&) = delete;

  // Publishes all events, and returns when all are answered, after stop(), or when the server lets
  // it wait for longer than the workload's patience.
  void run();

  void stop() { is_stopped_ = true; }           // any
  std::uint64_t sent() const { return sent_; }  // any
  bool is_done() const { return is_done_; }     // any: whether run() returns
  const PublisherCounts& counts() const { return counts_; }
  const Histogram& answers() const { return answers_; }  // from an event's time to its answer

 private:
  using Steady = std::chrono::steady_clock::time_point;

  struct Connection {
    std::size_t number = 0;
    base::Descriptor socket;
    std::size_t next_event = 0;     // that it sends
    std::deque<Steady> unanswered;  // when they were sent, or were due
    std::optional<sse::client::ResponseReader> response;
    std::string unsent;
  };

  boost::system::error_code connect(Connection& connection);
  void send_what_fits();
  std::chrono::milliseconds send_what_is_due(Steady now);
  void add_request(Connection& connection, Steady sent);
  void flush(Connection& connection);
  void receive(Connection& connection);
  bool take(Connection& connection, std::string_view bytes);
  void finish(Connection& connection, std::string_view failure);
  void reconnect(Connection& connection, std::string_view why);
  void fail(std::string_view why);

  const Workload& workload_;
  const Messages& messages_;
  const std::string request_head_;
  base::Descriptor epoll_;
  std::vector<Connection> connections_;
  std::vector<char> buffer_;
  std::mt19937_64 random_;
  std::size_t begun_ = 0;     // events, with a rate
  std::size_t finished_ = 0;  // events, one way or the other
  Steady progress_at_;

  std::atomic<bool> is_stopped_{false};
  std::atomic<bool> is_done_{false};
  std::atomic<std::uint64_t> sent_{0};
  PublisherCounts counts_;
  Histogram answers_;
};

}  // namespace vrelo::cli::load
