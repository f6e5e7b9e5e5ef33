// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>

#include "hub/base/clock.h"

namespace vrelo {

// How long a worker that died is missing: the shorter it lived, the longer, so that one that cannot
// live costs little.
class RestartPause {
 public:
  static constexpr std::chrono::milliseconds kMin{100};
  static constexpr std::chrono::milliseconds kMax{10'000};

  // Lifetime: `clock` outlives the RestartPause.
  explicit RestartPause(const base::Clock& clock) : clock_(clock) {}

  void begin_life() { begin_ = clock_.steady(); }

  // Returns the pause after the life that ends now: kMin after one of kMax or longer, else twice
  // the pause before, up to kMax.
  std::chrono::milliseconds end_life();

 private:
  const base::Clock& clock_;
  base::Clock::Steady begin_;
  std::chrono::milliseconds next_ = kMin;
};

}  // namespace vrelo
