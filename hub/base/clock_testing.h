// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <vector>

#include "hub/base/clock.h"

namespace vrelo::base {

// A clock that stands still until the test moves it.
//
// Lifetime: no thread that waits by it ends while advance() runs.
class ManualClock final : public Clock {
 public:
  Steady steady() const override { return Steady(elapsed_.load()); }
  Wall wall() const override { return kStart + elapsed_.load() + wall_step_.load(); }

  void wait_until(std::unique_lock<std::mutex>& lock,
                  std::condition_variable& wake,
                  Steady until) const override {
    const Waiter waiter{.mutex = lock.mutex(), .wake = &wake};
    {
      const std::lock_guard waiters_lock(waiters_mutex_);
      if (steady() >= until) {
        return;
      }
      waiters_.push_back(waiter);
    }
    wake.wait(lock);
    const std::lock_guard waiters_lock(waiters_mutex_);
    waiters_.erase(std::find(waiters_.begin(), waiters_.end(), waiter));
  }

  // Wakes all who wait: each looks for itself whether its time has come.
  void advance(std::chrono::nanoseconds by) {
    elapsed_ = elapsed_.load() + by;
    std::vector<Waiter> waiters;
    {
      const std::lock_guard waiters_lock(waiters_mutex_);
      waiters = waiters_;
    }
    for (const Waiter& waiter : waiters) {
      const std::lock_guard lock(
          *waiter.mutex);  // else it might not wait yet, and sleep through this
      waiter.wake->notify_all();
    }
  }

  // Sets the wall clock forth or back, as an operator or NTP does; steady time does not notice.
  void step_wall(std::chrono::nanoseconds by) { wall_step_ = wall_step_.load() + by; }

 private:
  struct Waiter {
    std::mutex* mutex;
    std::condition_variable* wake;

    friend bool operator==(const Waiter&, const Waiter&) = default;
  };

  static constexpr Wall kStart{std::chrono::seconds(1'700'000'000)};

  std::atomic<std::chrono::nanoseconds> elapsed_{std::chrono::nanoseconds(0)};
  std::atomic<std::chrono::nanoseconds> wall_step_{std::chrono::nanoseconds(0)};

  mutable std::mutex waiters_mutex_;
  mutable std::vector<Waiter> waiters_;
};

}  // namespace vrelo::base
