// SPDX-License-Identifier: Apache-2.0
#include "hub/log/memory/offset_index.h"

#include <cstdint>
#include <map>
#include <random>
#include <vector>

#include <gmock/gmock.h>

namespace vrelo::log::memory {
namespace {

using ::testing::ElementsAre;
using ::testing::ElementsAreArray;
using ::testing::IsEmpty;

TEST(OffsetIndex, gives_the_offsets_of_a_hash_that_are_after_another) {
  OffsetIndex index;
  index.add(7, 1);
  index.add(8, 2);
  index.add(7, 3);
  index.add(7, 9);
  EXPECT_THAT(index.after(7, 0), ElementsAre(1, 3, 9));
  EXPECT_THAT(index.after(7, 1), ElementsAre(3, 9));
  EXPECT_THAT(index.after(7, 8), ElementsAre(9));
  EXPECT_THAT(index.after(7, 9), IsEmpty());
  EXPECT_THAT(index.after(8, 0), ElementsAre(2));
  EXPECT_THAT(index.after(9, 0), IsEmpty());
}

TEST(OffsetIndex, keeps_no_hash_that_has_no_offsets) {
  OffsetIndex index;
  index.add(7, 1);
  index.add(8, 2);
  EXPECT_EQ(index.size(), 2U);
  index.remove_oldest(7, 1);
  EXPECT_EQ(index.size(), 1U);
  EXPECT_THAT(index.after(7, 0), IsEmpty());
  index.remove_oldest(8, 2);
  EXPECT_EQ(index.size(), 0U);
}

TEST(OffsetIndex, gives_what_lists_of_offsets_give) {
  std::mt19937_64 random(1);
  OffsetIndex index;
  std::map<std::uint64_t, std::vector<std::uint64_t>> lists;
  for (std::uint64_t offset = 1; offset <= 20'000; ++offset) {
    const std::uint64_t hash = random() % 50;
    std::vector<std::uint64_t>& list = lists[hash];
    if (!list.empty() && random() % 2 == 0) {
      index.remove_oldest(hash, list.front());
      list.erase(list.begin());
    } else {
      index.add(hash, offset);
      list.push_back(offset);
    }
    ASSERT_THAT(index.after(hash, 0), ElementsAreArray(list));
  }
}

TEST(OffsetIndexDeathTest, refuses_an_offset_that_is_not_the_oldest) {
  OffsetIndex index;
  index.add(7, 1);
  index.add(7, 2);
  EXPECT_DEATH(index.remove_oldest(7, 2), "");
  EXPECT_DEATH(index.remove_oldest(8, 1), "");
  EXPECT_DEATH(index.add(7, 2), "");
}

}  // namespace
}  // namespace vrelo::log::memory
