// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <chrono>

#include "hub/base/clock.h"

namespace vrelo::base {

// A clock that stands still until the test moves it.
class ManualClock final : public Clock {
 public:
  Steady steady() const override { return Steady(elapsed_.load()); }
  Wall wall() const override { return kStart + elapsed_.load() + wall_step_.load(); }

  void advance(std::chrono::nanoseconds by) { elapsed_ = elapsed_.load() + by; }

  // Sets the wall clock forth or back, as an operator or NTP does; steady time does not notice.
  void step_wall(std::chrono::nanoseconds by) { wall_step_ = wall_step_.load() + by; }

 private:
  static constexpr Wall kStart{std::chrono::seconds(1'700'000'000)};

  std::atomic<std::chrono::nanoseconds> elapsed_{std::chrono::nanoseconds(0)};
  std::atomic<std::chrono::nanoseconds> wall_step_{std::chrono::nanoseconds(0)};
};

}  // namespace vrelo::base
