// SPDX-License-Identifier: Apache-2.0
#include "cli/load/histogram.h"

#include <algorithm>
#include <random>
#include <vector>

#include <gtest/gtest.h>

namespace vrelo::cli::load {
namespace {

using std::chrono::nanoseconds;

TEST(Histogram, has_nothing_at_first) {
  const Histogram histogram;
  EXPECT_EQ(histogram.count(), 0U);
  EXPECT_EQ(histogram.max(), nanoseconds(0));
  EXPECT_EQ(histogram.quantile(0.5), nanoseconds(0));
  EXPECT_TRUE(histogram.bars().empty());
}

TEST(Histogram, finds_quantiles_of_short_durations_exactly) {
  Histogram histogram;
  for (int i = 1; i <= 100; ++i) {
    histogram.add(nanoseconds(i));
  }
  EXPECT_EQ(histogram.quantile(0), nanoseconds(1));
  EXPECT_EQ(histogram.quantile(0.5), nanoseconds(50));
  EXPECT_EQ(histogram.quantile(0.99), nanoseconds(99));
  EXPECT_EQ(histogram.quantile(1), nanoseconds(100));
}

TEST(Histogram, finds_quantiles_to_within_a_hundredth) {
  std::mt19937_64 random(7);
  std::lognormal_distribution<double> draw(13, 2);  // around 0.4 ms
  std::vector<nanoseconds> all;
  Histogram histogram;
  for (int i = 0; i < 100000; ++i) {
    all.emplace_back(static_cast<std::int64_t>(draw(random)));
    histogram.add(all.back());
  }
  std::sort(all.begin(), all.end());
  for (const double share : {0.5, 0.9, 0.99, 0.999, 1.0}) {
    SCOPED_TRACE(share);
    const nanoseconds exact = all[static_cast<std::size_t>(share * 100000) - 1];
    EXPECT_GE(histogram.quantile(share), exact);
    EXPECT_LE(histogram.quantile(share), exact + exact / 100);
  }
  EXPECT_EQ(histogram.max(), all.back());
}

TEST(Histogram, takes_the_longest_and_the_negative) {
  Histogram histogram;
  histogram.add(nanoseconds::max());
  histogram.add(nanoseconds(-5));
  EXPECT_EQ(histogram.max(), nanoseconds::max());
  EXPECT_EQ(histogram.quantile(1), nanoseconds::max());
  EXPECT_EQ(histogram.quantile(0.5), nanoseconds(0));
}

TEST(Histogram, has_bars_that_join_and_hold_everything) {
  Histogram histogram;
  histogram.add(nanoseconds(1000));
  histogram.add(nanoseconds(1023));
  histogram.add(nanoseconds(1600));
  const auto bars = histogram.bars();
  ASSERT_EQ(bars.size(), 3U);
  EXPECT_EQ(bars[0].from, nanoseconds(768));
  EXPECT_EQ(bars[0].to, nanoseconds(1024));
  EXPECT_EQ(bars[0].count, 2U);
  EXPECT_EQ(bars[1].from, nanoseconds(1024));
  EXPECT_EQ(bars[1].to, nanoseconds(1536));
  EXPECT_EQ(bars[1].count, 0U);
  EXPECT_EQ(bars[2].from, nanoseconds(1536));
  EXPECT_EQ(bars[2].to, nanoseconds(2048));
  EXPECT_EQ(bars[2].count, 1U);
}

}  // namespace
}  // namespace vrelo::cli::load
