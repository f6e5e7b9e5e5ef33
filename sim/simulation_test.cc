// SPDX-License-Identifier: Apache-2.0
#include "sim/simulation.h"

#include <cstdint>
#include <string>

#include <gtest/gtest.h>

namespace vrelo::sim {
namespace {

TEST(Simulation, does_the_same_for_the_same_seed) {
  for (std::uint64_t seed = 0; seed < 5; ++seed) {
    SCOPED_TRACE(seed);
    Simulation once(seed);
    Simulation again(seed);
    EXPECT_EQ(once.run(), "");
    EXPECT_EQ(again.run(), "");
    EXPECT_EQ(once.digest(), again.digest());
    EXPECT_EQ(once.tally(), again.tally());
    EXPECT_NE(once.digest(), Simulation(seed + 1).digest());
  }
}

// What is never tried is never found wrong.
TEST(Simulation, tries_everything_within_a_hundred_seeds) {
  Tally sums;
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    Simulation simulation(seed);
    ASSERT_EQ(simulation.run(), "") << "seed " << seed;
    for (const auto& [what, count] : simulation.tally()) {
      sums[what] += count;
    }
  }
  for (const std::string what : {"gaps seen at the beginning",
                                 "gaps seen later",
                                 "moves of the cursor seen",
                                 "comments seen",
                                 "pages from storage",
                                 "pages from the cache",
                                 "pieces from the window",
                                 "publishes",
                                 "publishes refused",
                                 "repeats",
                                 "kills",
                                 "stops",
                                 "drains",
                                 "reloads",
                                 "removals",
                                 "logs lost",
                                 "logs that the shipped store kept",
                                 "logs replaced",
                                 "outages of the store",
                                 "times that the store was full",
                                 "times of day set",
                                 "readers that were slow",
                                 "readers with ids of their own",
                                 "ends seen",
                                 "words of an end to come seen",
                                 "streams closed: drain",
                                 "streams closed: ended",
                                 "streams closed: gone",
                                 "streams closed: record gone",
                                 "streams closed: replaced",
                                 "streams closed: silent",
                                 "streams closed: stalled"}) {
    EXPECT_GT(sums[what], 0U) << what;
  }
}

}  // namespace
}  // namespace vrelo::sim
