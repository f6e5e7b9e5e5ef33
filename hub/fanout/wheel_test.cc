// SPDX-License-Identifier: Apache-2.0
#include "hub/fanout/wheel.h"

#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace vrelo::fanout {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

std::vector<int> tick(Wheel& wheel) {
  std::vector<int> due;
  wheel.advance([&due](int id) { due.push_back(id); });
  return due;
}

TEST(Wheel, fires_each_id_once_at_its_tick) {
  Wheel wheel;
  wheel.set(3, 1);
  wheel.set(7, 2);
  wheel.set(9, 2);
  EXPECT_THAT(tick(wheel), ElementsAre(3));
  EXPECT_THAT(tick(wheel), UnorderedElementsAre(7, 9));
  EXPECT_THAT(tick(wheel), IsEmpty());
}

TEST(Wheel, keeps_the_last_time_that_was_set) {
  Wheel wheel;
  wheel.set(3, 1);
  wheel.set(3, 3);
  EXPECT_THAT(tick(wheel), IsEmpty());
  EXPECT_THAT(tick(wheel), IsEmpty());
  EXPECT_THAT(tick(wheel), ElementsAre(3));
}

TEST(Wheel, forgets_what_is_cancelled_at_the_front_middle_and_end_of_a_tick) {
  Wheel wheel;
  for (const int id : {1, 2, 3, 4, 5}) {
    wheel.set(id, 1);
  }
  for (const int id : {5, 3, 1, 99}) {
    wheel.cancel(id);
  }
  EXPECT_THAT(tick(wheel), UnorderedElementsAre(2, 4));
}

TEST(Wheel, comes_at_the_next_tick_at_the_soonest_and_at_its_longest_at_the_latest) {
  Wheel wheel;
  wheel.set(1, 0);
  EXPECT_THAT(tick(wheel), ElementsAre(1));
  wheel.set(1, 1'000'000);
  for (std::uint32_t i = 1; i < Wheel::kTicksMax; ++i) {
    ASSERT_THAT(tick(wheel), IsEmpty());
  }
  EXPECT_THAT(tick(wheel), ElementsAre(1));
}

TEST(Wheel, may_be_set_and_cancelled_from_inside_a_firing) {
  Wheel wheel;
  wheel.set(1, 1);
  wheel.set(2, 1);
  wheel.set(3, 1);
  std::vector<int> due;
  wheel.advance([&](int id) {
    due.push_back(id);
    if (due.size() == 1) {
      wheel.cancel(id == 2 ? 1 : 2);
      wheel.set(id, 1);
    }
  });
  EXPECT_EQ(due.size(), 2U);  // one of the three was cancelled, one comes again
  EXPECT_THAT(tick(wheel), ElementsAre(due.front()));
}

}  // namespace
}  // namespace vrelo::fanout
