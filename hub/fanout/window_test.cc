// SPDX-License-Identifier: Apache-2.0
#include "hub/fanout/window.h"

#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace vrelo::fanout {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr std::uint64_t kEpoch = 9;
constexpr log::HashKey kKey = {1, 2};

log::Position at(std::uint64_t offset) {
  return {.epoch = kEpoch, .offset = offset};
}

log::RecordPtr record(std::uint64_t offset,
                      std::vector<std::string> topics,
                      std::string data = "x") {
  return std::make_shared<const log::Record>(
      log::Record{.position = at(offset),
                  .stored_at = {},
                  .event = {.topics = std::move(topics), .data = std::move(data)}});
}

std::vector<std::uint64_t> offsets(const std::vector<EncodedPtr>& records) {
  std::vector<std::uint64_t> offsets;
  for (const EncodedPtr& record : records) {
    offsets.push_back(record->position.offset);
  }
  return offsets;
}

class WindowTest : public ::testing::Test {
 protected:
  explicit WindowTest(std::size_t bytes_max = 8 << 20)
      : window(kKey, bytes_max, 2, [this](std::size_t shard) { woken.push_back(shard); }) {
    window.reset(at(0));
    for (std::size_t shard = 0; shard < 2; ++shard) {
      window.take(shard, at(0), {});
    }
    woken.clear();
  }

  void append(std::vector<log::RecordPtr> records) { window.append(records); }

  void want(std::size_t shard, std::string_view topic) {
    window.interest().raise(shard, hash_topic(kKey, topic));
  }

  std::vector<std::uint64_t> read(std::uint64_t after,
                                  std::uint64_t until,
                                  std::vector<std::string> topics,
                                  log::ReadLimits limits = {}) {
    std::vector<TopicView> views;
    for (const std::string& topic : topics) {
      views.push_back({.name = topic, .hash = hash_topic(kKey, topic)});
    }
    std::vector<EncodedPtr> found;
    const auto read =
        window.read(at(after), at(until), {.all = topics.empty(), .listed = views}, limits, found);
    reached = read ? read->offset : 0;
    covered = read.has_value();
    return offsets(found);
  }

  std::vector<std::size_t> woken;
  Window window;
  std::uint64_t reached = 0;
  bool covered = false;
};

class SmallWindowTest : public WindowTest {
 protected:
  SmallWindowTest() : WindowTest(1000) {}
};

TEST_F(WindowTest, wakes_a_shard_that_has_interest_once_until_it_takes) {
  want(1, "a");
  append({record(1, {"a"}), record(2, {"b"})});
  append({record(3, {"a"})});
  EXPECT_THAT(woken, ElementsAre(1));
  const Taken taken = window.take(1, at(0), {});
  EXPECT_THAT(offsets(taken.records), ElementsAre(1, 3));
  EXPECT_EQ(taken.end, at(3));
  append({record(4, {"a"})});
  EXPECT_THAT(woken, ElementsAre(1, 1));
}

// Whether a record of `published` wakes the shard of a reader of `wanted`.
bool wakes(const log::HashKey& key, const std::string& wanted, const std::string& published) {
  bool woken = false;
  Window window(key, 1 << 20, 1, [&woken](std::size_t) { woken = true; });
  window.reset(at(0));
  window.take(0, at(0), {});
  woken = false;
  window.interest().raise(0, hash_topic(window.hash_key(), wanted));
  window.append(std::vector{record(1, {published})});
  return woken;
}

TEST(Window, lets_topics_collide_only_under_its_own_key) {
  Interest interest(1);
  interest.raise(0, hash_topic(kKey, "wanted"));
  std::vector<std::string> colliding;
  for (int i = 0; colliding.size() < 3; ++i) {
    ASSERT_LT(i, 1'000'000);
    std::string topic = std::to_string(i);
    if (interest.wants(0, std::array{hash_topic(kKey, topic)})) {
      colliding.push_back(std::move(topic));
    }
  }
  for (const std::string& topic : colliding) {
    SCOPED_TRACE(topic);
    EXPECT_TRUE(wakes(kKey, "wanted", topic));
    EXPECT_FALSE(wakes({1, 3}, "wanted", topic));
  }
}

TEST_F(WindowTest, takes_what_the_limits_allow_and_says_that_there_is_more) {
  want(0, "a");
  append({record(1, {"a"}), record(2, {"b"}), record(3, {"a"}), record(4, {"a"})});
  Taken taken = window.take(0, at(0), {.records_max = 2});
  EXPECT_THAT(offsets(taken.records), ElementsAre(1, 3));
  EXPECT_EQ(taken.end, at(3));
  EXPECT_TRUE(taken.more);
  taken = window.take(0, taken.end, {.records_max = 2});
  EXPECT_THAT(offsets(taken.records), ElementsAre(4));
  EXPECT_FALSE(taken.more);
}

TEST_F(WindowTest, looks_at_many_unwanted_records_in_several_takes) {
  want(0, "a");
  std::vector<log::RecordPtr> records = {record(1, {"a"})};
  for (std::uint64_t offset = 2; offset < 10'000; ++offset) {
    records.push_back(record(offset, {"b"}));
  }
  records.push_back(record(10'000, {"a"}));
  append(records);
  Taken taken = window.take(0, at(0), {});
  EXPECT_THAT(offsets(taken.records), ElementsAre(1));
  EXPECT_EQ(taken.end, at(4096));
  EXPECT_TRUE(taken.more);
  taken = window.take(0, taken.end, {});
  EXPECT_THAT(taken.records, IsEmpty());
  EXPECT_EQ(taken.end, at(8192));
  EXPECT_TRUE(taken.more);
  taken = window.take(0, taken.end, {});
  EXPECT_THAT(offsets(taken.records), ElementsAre(10'000));
  EXPECT_EQ(taken.end, at(10'000));
  EXPECT_FALSE(taken.more);
}

TEST_F(WindowTest, takes_one_record_however_large) {
  want(0, "a");
  append({record(1, {"a"}, std::string(5000, 'x')), record(2, {"a"})});
  const Taken taken = window.take(0, at(0), {.records_max = 10, .bytes_max = 100});
  EXPECT_THAT(offsets(taken.records), ElementsAre(1));
  EXPECT_TRUE(taken.more);
}

TEST_F(WindowTest, reads_one_topic_several_or_all_within_the_range) {
  append({record(1, {"a"}), record(2, {"b"}), record(3, {"a", "b"}), record(4, {"c"}),
          record(5, {"a"})});
  EXPECT_THAT(read(0, 5, {"a"}), ElementsAre(1, 3, 5));
  EXPECT_THAT(read(1, 4, {"a", "b"}), ElementsAre(2, 3));
  EXPECT_EQ(reached, 4U);
  EXPECT_THAT(read(1, 4, {}), ElementsAre(2, 3, 4));
  EXPECT_THAT(read(0, 5, {"unknown"}), IsEmpty());
  EXPECT_EQ(reached, 5U);
  EXPECT_THAT(read(5, 5, {"a"}), IsEmpty());
  EXPECT_EQ(reached, 5U);
}

TEST_F(WindowTest, goes_on_behind_the_last_record_where_a_limit_cut) {
  append(
      {record(1, {"a"}), record(2, {"b"}), record(3, {"a"}), record(4, {"a"}), record(5, {"b"})});
  EXPECT_THAT(read(0, 5, {"a"}, {.records_max = 2}), ElementsAre(1, 3));
  EXPECT_EQ(reached, 3U);
  EXPECT_THAT(read(reached, 5, {"a"}, {.records_max = 2}), ElementsAre(4));
  EXPECT_EQ(reached, 5U);
  EXPECT_THAT(read(0, 5, {}, {.records_max = 4}), ElementsAre(1, 2, 3, 4));
  EXPECT_EQ(reached, 4U);
}

TEST_F(WindowTest, finds_records_whose_offsets_are_not_dense) {
  append({record(10, {"a"}), record(25, {"b"}), record(26, {"a"}), record(100, {"a"})});
  EXPECT_THAT(read(10, 100, {"a"}), ElementsAre(26, 100));
  EXPECT_THAT(read(11, 60, {}), ElementsAre(25, 26));
}

TEST_F(WindowTest, names_a_record_once_whose_event_names_its_topic_twice) {
  append({record(1, {"a", "a"}), record(2, {"a"})});
  EXPECT_THAT(read(0, 2, {"a"}), ElementsAre(1, 2));
}

TEST_F(SmallWindowTest, holds_what_fits_and_says_how_far_it_reaches) {
  for (std::uint64_t offset = 1; offset <= 100; ++offset) {
    append({record(offset, {offset % 2 == 0 ? "even" : "odd", "all"})});
    EXPECT_LE(window.bytes(), 1000U);
  }
  EXPECT_FALSE(window.reaches(at(1)));
  EXPECT_TRUE(window.reaches(at(99)));
  EXPECT_FALSE(window.reaches({.epoch = kEpoch + 1, .offset = 99}));
  EXPECT_FALSE(window.reaches(at(101)));
  EXPECT_THAT(read(50, 100, {"all"}), IsEmpty());
  EXPECT_FALSE(covered);
  EXPECT_THAT(read(97, 100, {"even"}), ElementsAre(98, 100));
  EXPECT_TRUE(covered);
}

TEST_F(SmallWindowTest, keeps_one_record_larger_than_its_bound) {
  want(0, "a");
  append({record(1, {"a"}, std::string(5000, 'x'))});
  EXPECT_THAT(offsets(window.take(0, at(0), {}).records), ElementsAre(1));
}

TEST_F(SmallWindowTest, tells_a_shard_that_came_too_late) {
  want(0, "a");
  for (std::uint64_t offset = 1; offset <= 100; ++offset) {
    append({record(offset, {"a"})});
  }
  EXPECT_THAT(woken, ElementsAre(0));
  const Taken taken = window.take(0, at(0), {});
  EXPECT_TRUE(taken.overrun);
  EXPECT_THAT(taken.records, IsEmpty());
  EXPECT_EQ(taken.end, at(100));
  append({record(101, {"a"})});
  EXPECT_THAT(offsets(window.take(0, at(100), {}).records), ElementsAre(101));
}

TEST_F(SmallWindowTest, does_not_call_it_late_where_what_is_gone_was_not_wanted) {
  want(0, "a");
  append({record(1, {"b"})});
  for (std::uint64_t offset = 2; offset <= 100; ++offset) {
    append({record(offset, {"b"})});
  }
  append({record(101, {"a"})});
  const Taken taken = window.take(0, at(0), {});
  EXPECT_FALSE(taken.overrun);
  EXPECT_THAT(offsets(taken.records), ElementsAre(101));
}

TEST_F(WindowTest, tells_every_shard_when_it_starts_anew) {
  want(0, "a");
  append({record(1, {"a"})});
  window.reset(at(50));
  EXPECT_THAT(woken, ElementsAre(0, 1));
  for (std::size_t shard = 0; shard < 2; ++shard) {
    const Taken taken = window.take(shard, at(0), {});
    EXPECT_TRUE(taken.overrun);
    EXPECT_EQ(taken.end, at(50));
  }
  EXPECT_THAT(read(10, 50, {"a"}), IsEmpty());
  EXPECT_FALSE(covered);
}

}  // namespace
}  // namespace vrelo::fanout
