// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>

#include "hub/base/clock_testing.h"
#include "hub/fanout/fan_out.h"
#include "hub/fanout/fan_out_testing.h"
#include "hub/net/alarm_testing.h"
#include "sse/decoder_testing.h"

namespace vrelo::fanout {

// One shard with all that fan-out needs, and no thread, socket or time of its own: everything
// happens inside the calls of the test.
class TestShard {
 public:
  explicit TestShard(std::size_t window_bytes = std::size_t{1} << 20,
                     FanOutLimits limits = {},
                     bool follows = true)
      : window({1, 2}, window_bytes, 1, [this](std::size_t) { fan_out_->wake(); }) {
    fan_out_.emplace(FanOutParts{.window = window,
                                 .shard = 0,
                                 .log = log,
                                 .sockets = sockets,
                                 .clock = clock,
                                 .make_alarm = alarms.maker(),
                                 .executor = loop.get_executor(),
                                 .seed = 1},
                     limits);
    if (follows) {
      follow();
    }
  }

  ~TestShard() {
    log.stop();
    run();
    fan_out_.reset();
  }

  FanOut& fan_out() { return *fan_out_; }

  // Lets the window begin to follow the log. Once, unless the constructor did.
  void follow() {
    boost::asio::co_spawn(loop,
                          window.follow(log,
                                        [this]() -> base::Task<void> {
                                          co_await boost::asio::post(
                                              loop, boost::asio::use_awaitable_t<base::Executor>());
                                        }),
                          boost::asio::detached);
    run();
  }

  // Does what is to be done now.
  void run() {
    while (true) {
      loop.restart();
      if (loop.poll() == 0 && !alarms.ring_due()) {
        return;
      }
    }
  }

  // Lets time pass, with all that happens in it.
  void advance(std::chrono::nanoseconds by) {
    const base::Clock::Steady end = clock.steady() + by;
    for (auto next = alarms.next(); next && *next <= end; next = alarms.next()) {
      clock.advance(std::max(*next - clock.steady(), std::chrono::nanoseconds(0)));
      run();
    }
    clock.advance(end - clock.steady());
    run();
  }

  log::Position publish(std::vector<std::string> topics,
                        std::string data,
                        bool is_private = false) {
    return log.put(
        {.topics = std::move(topics), .data = std::move(data), .is_private = is_private});
  }

  struct Opened {
    log::Selection selection = {.all = true, .topics = {}};
    auth::GrantPtr grant = nobody();
    std::optional<log::Position> after = {};  // nullopt: from now on
    Hello hello = Hello::kQuiet;
    std::string id_suffix = {};
  };

  // Opens a stream on `fd`, as hub/subscribe.cc does.
  void open(int fd, const Opened& wanted) {
    Membership membership = fan_out_->enter(wanted.selection, wanted.grant, wanted.id_suffix);
    const log::Position start = wanted.after.value_or(log.end());
    fan_out_->open(fd, std::move(membership), start, wanted.hello,
                   first_block(wanted.hello, fan_out_->heartbeat(), fan_out_->jittered_retry(),
                               start, wanted.id_suffix));
  }

  // The peer takes `bytes` more.
  void give_room(int fd, std::size_t bytes) {
    sockets.at(fd).room = bytes;
    if (sockets.at(fd).wants_writable && !sockets.at(fd).closed) {
      fan_out_->on_writable(fd);
    }
  }

  sse::Seen seen(int fd) {
    const std::string& got = sockets.at(fd).got;
    return sse::decode_in_chunks(got, got.size() + 1, {.event_bytes_max = got.size()});
  }

  // The data of the events that `fd` was sent, without the hub's own.
  std::vector<std::string> data(int fd) {
    std::vector<std::string> data;
    for (const sse::SeenEvent& event : seen(fd).events) {
      if (!event.type.starts_with("vrelo.")) {
        data.push_back(event.data);
      }
    }
    return data;
  }

  static auth::GrantPtr nobody() {
    static const auto grant = std::make_shared<const auth::Grant>();
    return grant;
  }

  base::ManualClock clock;
  net::FakeAlarms alarms{clock};
  boost::asio::io_context loop{1};
  FakeSockets sockets;
  FakeLog log{loop.get_executor()};
  Window window;

 private:
  std::optional<FanOut> fan_out_;
};

inline std::vector<std::string> types(const sse::Seen& seen) {
  std::vector<std::string> types;
  for (const sse::SeenEvent& event : seen.events) {
    types.push_back(event.type);
  }
  return types;
}

}  // namespace vrelo::fanout
