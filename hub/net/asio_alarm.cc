// SPDX-License-Identifier: Apache-2.0
#include "hub/net/asio_alarm.h"

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <utility>

#include <boost/asio/basic_waitable_timer.hpp>

namespace vrelo::net {
namespace {

using SteadyClock = std::chrono::steady_clock;
using Timer = boost::asio::
    basic_waitable_timer<SteadyClock, boost::asio::wait_traits<SteadyClock>, base::Executor>;

class AsioAlarm final : public Alarm {
 public:
  AsioAlarm(base::Executor executor, std::function<void()> on_ring)
      : state_(std::make_shared<State>(Timer(executor), std::move(on_ring))) {}

  AsioAlarm(const AsioAlarm&) = delete;
  AsioAlarm& operator=(const AsioAlarm&) = delete;
  ~AsioAlarm() override { state_->timer.cancel(); }

  void set(base::Clock::Steady when) override {
    state_->timer.expires_at(when);
    state_->timer.async_wait([weak = std::weak_ptr(state_),
                              time = ++state_->times](const boost::system::error_code& error) {
      const auto state = weak.lock();
      if (state != nullptr && !error && state->times == time) {
        state->on_ring();
      }
    });
  }

  void cancel() override {
    ++state_->times;
    state_->timer.cancel();
  }

 private:
  struct State {
    State(Timer&& its_timer, std::function<void()>&& its_on_ring)
        : timer(std::move(its_timer)), on_ring(std::move(its_on_ring)) {}

    Timer timer;
    const std::function<void()> on_ring;

    // How often it was set or cancelled. A wait that is over when this happens can no longer be
    // cancelled, but it belongs to an earlier time.
    std::uint64_t times = 0;
  };

  const std::shared_ptr<State> state_;  // a wait whose alarm is gone finds none
};

}  // namespace

MakeAlarm asio_alarms(base::Executor executor) {
  return [executor](std::function<void()> on_ring) {
    return std::make_unique<AsioAlarm>(executor, std::move(on_ring));
  };
}

}  // namespace vrelo::net
