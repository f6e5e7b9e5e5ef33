// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/system/result.hpp>

#include "hub/auth/grant.h"
#include "hub/base/clock.h"
#include "hub/base/task.h"
#include "hub/fanout/fan_out.h"
#include "hub/fanout/window.h"
#include "hub/log/log.h"
#include "hub/net/alarm.h"
#include "hub/publish.h"
#include "hub/subscribe.h"
#include "sim/network.h"
#include "sim/random.h"
#include "sim/schedule.h"
#include "sim/store.h"

namespace vrelo::sim {

// What a node works in. Lifetime: the references outlive the node.
struct Surroundings {
  Schedule& schedule;
  Random& random;
  Network& network;
  Store& store;
};

using OnPublished = std::function<void(const boost::system::result<Published>&)>;

// One shard of a node: the shipped fan-out and acts, on a loop that the schedule turns.
class Shard final : public Thread {
 public:
  Shard(Surroundings around,
        fanout::Window& window,
        std::size_t index,
        fanout::FanOutLimits limits);
  ~Shard();

  Shard(const Shard&) = delete;
  Shard& operator=(const Shard&) = delete;

  bool step() override;

  // What hub/api does with a request, beyond HTTP.
  void subscribe(int fd, Network::LinkPtr link, Subscription subscription);
  void publish(auth::GrantPtr grant, log::Event event, OnPublished on_published);

  // The right to one of its streams ends, or its reader comes back elsewhere; and the reader of one
  // is told that its right will end.
  void end_right();
  void tell_reader();

  // From now on no stream is opened.
  void refuse() { refusing_ = true; }

  void close();

  fanout::FanOut& fan_out() { return fan_out_; }
  log::Log& log() { return *log_; }
  base::Executor executor() { return loop_.get_executor(); }
  net::MakeAlarm make_alarm() { return alarms_.maker(); }
  std::optional<base::Clock::Steady> next_alarm() const { return alarms_.next(); }

 private:
  base::Task<void> serve(int fd, Network::LinkPtr link, Subscription subscription);

  Surroundings around_;
  boost::asio::io_context loop_{1};
  boost::asio::executor_work_guard<base::Executor> work_;
  Alarms alarms_;
  std::unique_ptr<log::Log> log_;
  ShardSockets sockets_;
  fanout::FanOut fan_out_;
  bool refusing_ = false;
};

// A hub's process: what api::Node is, without HTTP, threads and sockets.
class Node {
 public:
  Node(Surroundings around,
       std::size_t shards,
       std::size_t window_bytes,
       fanout::FanOutLimits limits);

  // Ends it at once. What waits for the store sees that it is stopped.
  ~Node();

  Node(const Node&) = delete;
  Node& operator=(const Node&) = delete;

  // One of its shards, whichever the kernel would choose.
  Shard& any_shard();

  void set_limits(const fanout::FanOutLimits& limits);

  // Closes the streams over `duration`. drained() says when it is done.
  void drain(std::chrono::milliseconds duration);
  bool drained() const { return draining_ && undrained_ == 0; }
  bool draining() const { return draining_; }

  std::optional<base::Clock::Steady> next_alarm() const;

  // The sum over its shards.
  fanout::FanOutStats stats() const;

 private:
  class Pause;

  base::Task<void> pause();
  void end_pause();

  Surroundings around_;
  fanout::Window window_;
  std::vector<std::unique_ptr<Shard>> shards_;

  // follow()'s, when the store does not answer.
  std::unique_ptr<Pause> pause_;
  std::unique_ptr<net::Alarm> pause_alarm_;

  bool draining_ = false;
  std::size_t undrained_ = 0;
};

}  // namespace vrelo::sim
