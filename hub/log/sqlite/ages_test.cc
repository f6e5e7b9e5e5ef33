// SPDX-License-Identifier: Apache-2.0
#include "hub/log/sqlite/ages.h"

#include <random>
#include <vector>

#include <gtest/gtest.h>

namespace vrelo::log::sqlite {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;
using Steady = base::Clock::Steady;
using Wall = base::Clock::Wall;

constexpr Wall kOpened{seconds(1'700'000'000)};

Steady at(std::chrono::nanoseconds time) {
  return Steady(time);
}

TEST(Ages, tells_which_records_are_older_than_an_age) {
  Ages ages;
  ages.begin(0, kOpened, at(hours(0)));
  ages.note(5, at(hours(1)));
  ages.note(7, at(hours(2)));
  EXPECT_EQ(ages.older_than(hours(1), at(hours(2))).to, 0U);
  EXPECT_EQ(ages.older_than(hours(1), at(hours(2) + seconds(1))).to, 5U);
  EXPECT_EQ(ages.older_than(hours(1), at(hours(3))).to, 5U);
  EXPECT_EQ(ages.older_than(hours(1), at(hours(9))).to, 7U);
  EXPECT_EQ(ages.older_than(hours(1), at(hours(10))).to, 7U);
}

TEST(Ages, tells_by_the_time_of_day_which_records_of_before_are) {
  Ages ages;
  ages.begin(10, kOpened, at(hours(5)));
  ages.note(12, at(hours(5)));
  const Ages::Old old = ages.older_than(hours(3), at(hours(6)));
  EXPECT_EQ(old.to, 0U);
  EXPECT_EQ(old.before_to, 10U);
  EXPECT_EQ(old.before, kOpened - hours(2));
}

TEST(Ages, does_not_believe_the_time_of_day_in_the_first_minute) {
  Ages ages;
  ages.begin(10, kOpened, at(hours(5)));
  EXPECT_EQ(ages.older_than(hours(3), at(hours(5))).before_to, 0U);
  EXPECT_EQ(ages.older_than(hours(3), at(hours(5) + seconds(59))).before_to, 0U);
  EXPECT_EQ(ages.older_than(hours(3), at(hours(5) + seconds(60))).before_to, 10U);
  EXPECT_EQ(ages.older_than(seconds(20), at(hours(5) + seconds(21))).to, 10U);
}

TEST(Ages, holds_a_record_of_before_for_no_younger_than_the_time_since_it_was_opened) {
  Ages ages;
  ages.begin(10, kOpened, at(hours(5)));
  ages.note(12, at(hours(7)));
  EXPECT_EQ(ages.older_than(hours(3), at(hours(8))).to, 0U);
  EXPECT_EQ(ages.older_than(hours(3), at(hours(8) + seconds(1))).to, 10U);
}

TEST(Ages, knows_nothing_that_is_older_than_all_time) {
  Ages ages;
  ages.begin(10, kOpened, at(hours(5)));
  ages.note(12, at(hours(5)));
  const Ages::Old old = ages.older_than(seconds::max(), at(hours(24 * 365)));
  EXPECT_EQ(old.to, 0U);
  EXPECT_LT(old.before, kOpened);
}

TEST(Ages, makes_no_record_older_and_none_much_younger_when_there_are_many) {
  for (const std::uint64_t seed : {1U, 2U, 3U}) {
    SCOPED_TRACE(seed);
    std::mt19937_64 random(seed);
    Ages ages(64);
    ages.begin(0, kOpened, at(seconds(0)));
    std::vector<Steady> stored = {at(seconds(0))};  // by offset
    Steady now = at(seconds(0));
    std::uint64_t old_to = 0;
    for (int step = 0; step < 20'000; ++step) {
      now += seconds(random() % 100 == 0 ? random() % 600 : random() % 2);
      const std::uint64_t count = random() % 3;
      if (count > 0) {
        stored.insert(stored.end(), count, now);
        ages.note(stored.size() - 1, now);
      }
      const std::uint64_t to = ages.older_than(hours(2), now).to;
      ASSERT_GE(to, old_to);
      old_to = to;
      ASSERT_TRUE(to == 0 || now - stored[to] > hours(2));
      // A 16th of what 64 marks span.
      ASSERT_TRUE(to + 1 == stored.size() || now - stored[to + 1] <= hours(2) + minutes(10));
    }
    EXPECT_GT(old_to, 1000U);
  }
}

}  // namespace
}  // namespace vrelo::log::sqlite
