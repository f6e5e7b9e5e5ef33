// SPDX-License-Identifier: Apache-2.0
#include "hub/fanout/topic_index.h"

#include <algorithm>
#include <cstddef>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

namespace vrelo::fanout {
namespace {

constexpr log::HashKey kKey = {1, 2};

// The groups that a record of `topic` leads to, and whether each may read it if it is private.
std::map<const Group*, bool> led_to(TopicIndex& index, const std::string& topic) {
  const EncodedPtr record =
      encode(kKey, {.position = {}, .stored_at = {}, .event = {.topics = {topic}}});
  base::AskedTopics asked;
  ask_for(*record, asked);
  std::map<const Group*, bool> groups;
  index.for_each_group(*record, asked, [&groups](const Group& group, bool is_granted) {
    EXPECT_TRUE(groups.emplace(&group, is_granted).second) << "twice";
  });
  return groups;
}

TEST(TopicIndex, leads_to_each_group_that_selects_a_topic_while_there_is_one) {
  const std::vector<std::string> topics = {"a", "b", "c"};
  const auto reads_nothing = std::make_shared<const auth::Grant>();
  auth::Grant reads_b;
  reads_b.read_private.listed.emplace_back("b");
  std::vector<auth::GrantPtr> grants = {reads_nothing,
                                        std::make_shared<const auth::Grant>(std::move(reads_b))};
  TopicIndex index(kKey);
  std::mt19937 random(1);
  struct Kept {
    Group* group;
    std::set<std::string> topics;
    bool reads_b;
  };
  std::vector<Kept> kept;
  std::size_t together_max = 0;
  for (int step = 0; step < 5'000; ++step) {
    if (kept.empty() || random() % 2 == 0) {
      // With a grant of its own now and then, so that it is no group that is there.
      if (random() % 4 == 0) {
        grants.push_back(std::make_shared<const auth::Grant>(*grants[random() % 2]));
      }
      const auth::GrantPtr& grant = grants[random() % grants.size()];
      std::set<std::string> selected;
      while (selected.empty()) {
        for (const std::string& topic : topics) {
          if (random() % 2 == 0) {
            selected.insert(topic);
          }
        }
      }
      Group& group = index.enter({.topics = {selected.begin(), selected.end()}}, grant);
      kept.push_back({&group, selected, !grant->read_private.listed.empty()});
    } else {
      std::swap(kept[random() % kept.size()], kept.back());
      index.leave(*kept.back().group);
      kept.pop_back();
    }
    for (const std::string& topic : topics) {
      std::map<const Group*, bool> expected;
      for (const Kept& one : kept) {
        if (one.topics.contains(topic)) {
          expected[one.group] = one.reads_b && topic == "b";
        }
      }
      together_max = std::max(together_max, expected.size());
      ASSERT_EQ(led_to(index, topic), expected) << "after step " << step;
    }
  }
  EXPECT_GT(together_max, 10U);
  for (const Kept& one : kept) {
    index.leave(*one.group);
  }
  EXPECT_EQ(index.topics(), 0U);
  EXPECT_EQ(index.groups(), 0U);
}

}  // namespace
}  // namespace vrelo::fanout
