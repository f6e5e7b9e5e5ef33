// SPDX-License-Identifier: Apache-2.0
#include "hub/log/memory/removed_topics.h"

#include <cstdint>
#include <map>
#include <random>

#include <gtest/gtest.h>

namespace vrelo::log::memory {
namespace {

TEST(RemovedTopics, knows_the_last_offset_of_each_topic) {
  RemovedTopics removed(100);
  EXPECT_EQ(removed.last(7), 0U);
  removed.add(7, 1);
  removed.add(8, 2);
  removed.add(7, 5);
  EXPECT_EQ(removed.last(7), 5U);
  EXPECT_EQ(removed.last(8), 2U);
  EXPECT_EQ(removed.last(9), 0U);
}

TEST(RemovedTopics, knows_at_least_half_as_many_as_it_was_told) {
  RemovedTopics removed(100);
  for (std::uint64_t topic = 1; topic <= 1000; ++topic) {
    removed.add(topic, topic);
    for (std::uint64_t known = topic; known > 0 && topic - known < 50; --known) {
      ASSERT_EQ(removed.last(known), known);
    }
    ASSERT_LE(removed.size(), 100U);
  }
}

TEST(RemovedTopics, answers_for_a_topic_that_it_has_forgotten_with_an_offset_that_is_no_smaller) {
  std::mt19937_64 random(1);
  RemovedTopics removed(20);
  std::map<std::uint64_t, std::uint64_t> last;
  for (std::uint64_t offset = 1; offset <= 10'000; ++offset) {
    const std::uint64_t topic = random() % (random() % 100 + 1);
    removed.add(topic, offset);
    last[topic] = offset;
    const std::uint64_t asked = random() % 100;
    ASSERT_GE(removed.last(asked), last[asked]);
    ASSERT_LE(removed.last(asked), offset);
    ASSERT_EQ(removed.last(topic), offset);
  }
}

}  // namespace
}  // namespace vrelo::log::memory
