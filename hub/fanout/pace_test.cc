// SPDX-License-Identifier: Apache-2.0
#include "hub/fanout/pace.h"

#include <algorithm>

#include <gtest/gtest.h>

namespace vrelo::fanout {
namespace {

using std::chrono_literals::operator""ms;
using std::chrono_literals::operator""us;
using Duration = std::chrono::nanoseconds;

// Rounds that begin as soon as they may and are wanted.
class Rounds {
 public:
  // A round that takes `cost` is wanted `after` the end of the one before. Returns by how much it
  // begins later.
  Duration run(Duration cost, Duration after = Duration(0)) {
    const Pace::Steady wanted = now_ + after;
    const Pace::Steady begin = std::max(wanted, next_);
    now_ = begin + cost;
    next_ = pace_.after_round(now_, cost);
    return begin - wanted;
  }

  // As many without a quiet moment as bring pauses about.
  void overload(Duration cost) {
    for (int i = 0; i < 1000; ++i) {
      run(cost);
    }
  }

 private:
  Pace pace_;
  Pace::Steady now_{std::chrono::hours(1)};
  Pace::Steady next_{};
};

TEST(Pace, makes_no_pause_while_there_is_time_to_spare) {
  Rounds rounds;
  for (int i = 0; i < 1000; ++i) {
    EXPECT_EQ(rounds.run(3ms, 5ms), 0ms);
  }
}

TEST(Pace, makes_no_pause_after_a_round_that_took_longer_than_usual) {
  Rounds rounds;
  for (int i = 0; i < 100; ++i) {
    EXPECT_EQ(rounds.run(3ms, 7ms), 0ms);
    EXPECT_EQ(rounds.run(i % 10 == 0 ? 10ms : 3ms, 7ms), 0ms);
    EXPECT_EQ(rounds.run(3ms), 0ms);
    EXPECT_EQ(rounds.run(3ms, 7ms), 0ms);
  }
}

TEST(Pace, makes_pauses_of_twice_the_cost_up_to_5_ms_under_load) {
  for (const auto& [cost, pause] :
       {std::pair<Duration, Duration>{1ms, 2ms}, {2ms, 4ms}, {3ms, 5ms}, {40ms, 5ms}}) {
    Rounds rounds;
    Duration paused(0);
    Duration most(0);
    constexpr int kRounds = 10'000;
    for (int i = 0; i < kRounds; ++i) {
      const Duration late = rounds.run(cost);
      paused += late;
      most = std::max(most, late);
    }
    EXPECT_EQ(most, pause);
    EXPECT_GT(paused, kRounds * pause * 7 / 10);
  }
}

TEST(Pace, makes_no_pause_that_saves_nothing) {
  Rounds rounds;
  rounds.overload(25us);
  EXPECT_EQ(rounds.run(25us), 0us);
}

TEST(Pace, forgets_a_long_overload_soon) {
  Rounds rounds;
  rounds.overload(40ms);
  EXPECT_EQ(rounds.run(3ms), 5ms);
  EXPECT_EQ(rounds.run(3ms, 40ms), 0ms);
  EXPECT_EQ(rounds.run(3ms), 0ms);
}

}  // namespace
}  // namespace vrelo::fanout
