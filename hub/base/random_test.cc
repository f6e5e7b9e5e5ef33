// SPDX-License-Identifier: Apache-2.0
#include "hub/base/random.h"

#include <set>

#include <gtest/gtest.h>

namespace vrelo::base {
namespace {

TEST(RandomValue, is_another_each_time) {
  std::set<std::uint64_t> values;
  for (int i = 0; i < 1000; ++i) {
    values.insert(random_value());
  }
  EXPECT_EQ(values.size(), 1000U);
}

TEST(RandomValue, uses_all_of_its_bits) {
  std::uint64_t ones = 0;
  std::uint64_t zeros = 0;
  for (int i = 0; i < 1000; ++i) {
    const std::uint64_t value = random_value();
    ones |= value;
    zeros |= ~value;
  }
  EXPECT_EQ(~ones, 0U);
  EXPECT_EQ(~zeros, 0U);
}

}  // namespace
}  // namespace vrelo::base
