// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>

namespace vrelo::base {

// The two times a hub knows. Everything that asks for the time takes a Clock in its constructor, so
// that tests and the simulator move time by hand.
//
// Threads: any.
class Clock {
 public:
  using Steady = std::chrono::steady_clock::time_point;
  using Wall = std::chrono::system_clock::time_point;

  virtual ~Clock() = default;

  // For durations: never goes back.
  virtual Steady steady() const = 0;

  // For people and retention: an operator may set it back or forth at any moment.
  virtual Wall wall() const = 0;

  // Waits, with `lock` held as for condition_variable::wait_until(), until `wake` is notified or
  // the steady time is `until`; it may also return for no reason. Steady::max(): waits for `wake`
  // alone.
  virtual void wait_until(std::unique_lock<std::mutex>& lock,
                          std::condition_variable& wake,
                          Steady until) const = 0;
};

class SystemClock final : public Clock {
 public:
  Steady steady() const override { return std::chrono::steady_clock::now(); }
  Wall wall() const override { return std::chrono::system_clock::now(); }
  void wait_until(std::unique_lock<std::mutex>& lock,
                  std::condition_variable& wake,
                  Steady until) const override {
    if (until == Steady::max()) {
      wake.wait(lock);
    } else {
      wake.wait_until(lock, until);
    }
  }
};

}  // namespace vrelo::base
