// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>

#include "hub/base/clock.h"

namespace vrelo::fanout {

// When a shard's rounds follow each other. Under load, a round that took T is followed by a pause
// of min(2 T, 5 ms), so that what comes in a burst goes out in few writes. A shard that has time to
// spare makes no pause: its events are never late for one.
//
// Threads: one, the shard's.
class Pace {
 public:
  using Steady = std::chrono::steady_clock::time_point;

  // A round that took `cost` ends `now`. Returns when the next may begin.
  Steady after_round(Steady now, std::chrono::nanoseconds cost);

 private:
  Steady paid_{};  // until when the rounds so far use up the time that they may take
};

}  // namespace vrelo::fanout
