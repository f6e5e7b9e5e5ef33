// SPDX-License-Identifier: Apache-2.0
#include "sse/client/alarm.h"

#include <cstdint>
#include <utility>

#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/steady_timer.hpp>

namespace vrelo::sse::client {
namespace {

class SteadyAlarm final : public Alarm {
 public:
  SteadyAlarm(const Executor& executor, std::function<void()> on_ring)
      : shared_(std::make_shared<Shared>(std::move(on_ring))), timer_(executor) {}

  ~SteadyAlarm() override { cancel(); }

  SteadyAlarm(const SteadyAlarm&) = delete;
  SteadyAlarm& operator=(const SteadyAlarm&) = delete;

  void set(std::chrono::milliseconds delay) override {
    timer_.expires_after(delay);
    timer_.async_wait([shared = shared_, setting = ++shared_->setting](const auto&) {
      if (shared->setting == setting) {
        shared->on_ring();
      }
    });
  }

  void cancel() override {
    ++shared_->setting;
    timer_.cancel();
  }

 private:
  // What a callback needs that is already on its way when the alarm is set anew, or destroyed: it
  // comes without an error then, and has to find out that it is not meant any more.
  struct Shared {
    explicit Shared(std::function<void()> ring) : on_ring(std::move(ring)) {}

    std::function<void()> on_ring;
    std::uint64_t setting = 0;
  };

  std::shared_ptr<Shared> shared_;
  boost::asio::basic_waitable_timer<std::chrono::steady_clock,
                                    boost::asio::wait_traits<std::chrono::steady_clock>,
                                    Executor>
      timer_;
};

}  // namespace

MakeAlarm steady_alarms(const Executor& executor) {
  return [executor](std::function<void()> on_ring) -> std::unique_ptr<Alarm> {
    return std::make_unique<SteadyAlarm>(executor, std::move(on_ring));
  };
}

}  // namespace vrelo::sse::client
