// SPDX-License-Identifier: Apache-2.0
#include "hub/fanout/pace.h"

#include <algorithm>

namespace vrelo::fanout {
namespace {

using std::chrono_literals::operator""ms;
using std::chrono_literals::operator""us;
using Duration = std::chrono::nanoseconds;

constexpr Duration kPauseMax = 5ms;
constexpr Duration kPauseMin = 50us;  // a shorter one would save nothing

// Rounds without pauses may take two fifths of the time, and be this far ahead of it: as long as a
// few rounds that took longer than usual, on a machine that has other work too.
constexpr Duration kAhead = 20ms;
constexpr Duration kAheadMax = 2 * kAhead;  // a long overload is forgotten soon

}  // namespace

Pace::Steady Pace::after_round(Steady now, Duration cost) {
  paid_ = std::min(std::max(paid_, now - cost) + 5 * cost / 2, now + kAheadMax);
  const Duration pause = std::min(2 * cost, kPauseMax);
  return paid_ > now + kAhead && pause > kPauseMin ? now + pause : now;
}

}  // namespace vrelo::fanout
