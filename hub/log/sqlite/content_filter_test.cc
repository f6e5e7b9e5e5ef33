// SPDX-License-Identifier: Apache-2.0
#include "hub/log/sqlite/content_filter.h"

#include <cstdint>
#include <random>
#include <string>

#include <gtest/gtest.h>

namespace vrelo::log::sqlite {
namespace {

TEST(ContentFilter, may_have_all_that_was_added_and_little_else) {
  constexpr int kHashes = 10'000;
  std::mt19937_64 added(1);
  ContentFilter filter(kHashes);
  for (int i = 0; i < kHashes; ++i) {
    filter.add(added());
  }
  const ContentFilter again = ContentFilter::from(filter.bytes()).value();
  std::mt19937_64 same(1);
  for (int i = 0; i < kHashes; ++i) {
    ASSERT_TRUE(again.may_have(same()));
  }
  std::mt19937_64 others(2);
  int wrong = 0;
  for (int i = 0; i < 10 * kHashes; ++i) {
    wrong += again.may_have(others()) ? 1 : 0;
  }
  EXPECT_LT(wrong, 10 * kHashes / 250);
}

TEST(ContentFilter, has_nothing_when_nothing_was_added) {
  const ContentFilter filter(0);
  EXPECT_FALSE(filter.may_have(0));
  EXPECT_FALSE(filter.may_have(1));
}

TEST(ContentFilter, is_not_made_of_bytes_that_are_no_filters) {
  EXPECT_EQ(ContentFilter::from("").has_value(), false);
  EXPECT_EQ(ContentFilter::from(std::string(31, 'x')).has_value(), false);
  EXPECT_EQ(ContentFilter::from(std::string(32, 'x')).has_value(), true);
}

}  // namespace
}  // namespace vrelo::log::sqlite
