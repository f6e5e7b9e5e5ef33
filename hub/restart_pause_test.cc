// SPDX-License-Identifier: Apache-2.0
#include "hub/restart_pause.h"

#include <chrono>

#include <gtest/gtest.h>

#include "hub/base/clock_testing.h"

namespace vrelo {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// Returns the pause after a life of `length`.
milliseconds after(milliseconds length, RestartPause& pause, base::ManualClock& clock) {
  pause.begin_life();
  clock.advance(length);
  return pause.end_life();
}

TEST(RestartPause, doubles_up_to_ten_seconds) {
  base::ManualClock clock;
  RestartPause pause(clock);
  for (const int expected : {100, 200, 400, 800, 1600, 3200, 6400, 10'000, 10'000}) {
    EXPECT_EQ(after(seconds(1), pause, clock), milliseconds(expected));
  }
}

TEST(RestartPause, begins_anew_after_a_life_of_ten_seconds) {
  base::ManualClock clock;
  RestartPause pause(clock);
  EXPECT_EQ(after(milliseconds(0), pause, clock), milliseconds(100));
  EXPECT_EQ(after(milliseconds(9'999), pause, clock), milliseconds(200));
  clock.advance(seconds(60));  // no worker runs: that is no life
  EXPECT_EQ(after(milliseconds(0), pause, clock), milliseconds(400));
  EXPECT_EQ(after(seconds(10), pause, clock), milliseconds(100));
  EXPECT_EQ(after(seconds(3600), pause, clock), milliseconds(100));
  EXPECT_EQ(after(milliseconds(0), pause, clock), milliseconds(200));
}

}  // namespace
}  // namespace vrelo
