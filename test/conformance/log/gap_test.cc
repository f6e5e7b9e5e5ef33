// SPDX-License-Identifier: Apache-2.0
//
// When a position is gone for a reader of some topics: where retention has removed a record that it
// wanted, and only there.
#include <string_view>

#include "test/conformance/log/log_testing.h"

namespace vrelo::log {
namespace {

using ::testing::ElementsAre;

class LogGap : public LogTest {
 protected:
  // Returns whether the log refuses to read `topics` after `offset`.
  bool is_gone(std::uint64_t offset, const std::vector<std::string>& topics) {
    const auto page = shard().read(shard().at(offset), {.topics = topics});
    EXPECT_TRUE(page || page.error() == Errc::kPositionGone);
    return !page;
  }

  // Runs `check`, and once more after a restart if that keeps the log.
  template <typename Check>
  void check_over_a_restart(const OpenOptions& options, Check check) {
    {
      SCOPED_TRACE("at first");
      check();
    }
    if (persists()) {
      SCOPED_TRACE("after a restart");
      open(options);
      check();
    }
  }
};
INSTANTIATE_TEST_SUITE_P(EachLog, LogGap, each_variant(), name_of);

TEST_P(LogGap, is_told_to_a_reader_whose_records_were_removed) {
  const OpenOptions options{.retention = {.records_max = 10}};
  open(options);
  append("t", 30);
  wait_for_begin(20);
  check_over_a_restart(options, [this] {
    for (const std::uint64_t offset : {0U, 10U, 19U}) {
      EXPECT_TRUE(is_gone(offset, {"t"})) << offset;
      EXPECT_EQ(shard().read(shard().at(offset), {.all = true}).error(), Errc::kPositionGone);
    }
    for (const std::uint64_t offset : {20U, 25U, 30U}) {
      EXPECT_FALSE(is_gone(offset, {"t"})) << offset;
      EXPECT_TRUE(shard().read(shard().at(offset), {.all = true}));
    }
  });
}

TEST_P(LogGap, is_not_told_to_1000_readers_of_quiet_topics_over_a_full_turn_over) {
  constexpr std::uint64_t kTopics = 1000;
  const OpenOptions options{.retention = {.records_max = 1000}};
  open(options);
  std::vector<Event> events;
  for (std::uint64_t i = 0; i < kTopics; ++i) {
    events.push_back({.topics = {"quiet " + std::to_string(i)}});
  }
  shard().append_all(std::move(events));
  append("busy", 2000);
  wait_for_begin(2000);
  check_over_a_restart(options, [this] {
    for (std::uint64_t i = 0; i < kTopics; ++i) {
      const std::string topic = "quiet " + std::to_string(i);
      // The reader has seen its topic's one record, or everything that came with it.
      ASSERT_FALSE(is_gone(i + 1, {topic})) << topic;
      ASSERT_FALSE(is_gone(kTopics, {topic})) << topic;
      ASSERT_TRUE(is_gone(i, {topic})) << topic;
      ASSERT_FALSE(is_gone(0, {"never heard of " + topic}));
    }
    EXPECT_TRUE(is_gone(kTopics, {"busy"}));
    EXPECT_TRUE(is_gone(1999, {"busy"}));
  });
  shard().append({.topics = {"quiet 7"}, .data = "at last"}).value();
  EXPECT_THAT(
      data_of(shard().read(shard().at(kTopics), {.topics = {"quiet 7", "quiet 8"}})->records),
      ElementsAre("at last"));
}

TEST_P(LogGap, is_told_if_one_of_the_topics_has_lost_a_record) {
  const OpenOptions options{.retention = {.records_max = 4}};
  open(options);
  for (const auto& topics : std::vector<std::vector<std::string>>{
           {"a"}, {"b"}, {"c", "d", "c"}, {"e"}, {"f"}, {"f"}, {"f"}, {"f"}}) {
    shard().append({.topics = topics}).value();
  }
  wait_for_begin(4);
  struct Case {
    std::string_view about;
    std::uint64_t after;
    std::vector<std::string> topics;
    bool gone;
  };
  const std::vector<Case> cases = {
      {"before its last record", 0, {"a"}, true},
      {"at its last record", 1, {"a"}, false},
      {"one of two has lost some", 1, {"a", "b"}, true},
      {"so has the second", 1, {"b", "a"}, true},
      {"both have been read", 2, {"a", "b"}, false},
      {"a record with two topics", 2, {"c"}, true},
      {"the other one of them", 2, {"d"}, true},
      {"that record was read", 3, {"c", "d"}, false},
      {"all is kept", 0, {"f"}, false},
      {"a topic without any record", 0, {"none"}, false},
      {"that one and one that has lost some", 0, {"none", "e"}, true},
      {"no topic", 0, {}, false},
  };
  check_over_a_restart(options, [this, &cases] {
    for (const Case& c : cases) {
      SCOPED_TRACE(c.about);
      EXPECT_EQ(is_gone(c.after, c.topics), c.gone);
    }
  });
}

TEST_P(LogGap, is_told_where_an_emptied_log_had_records_of_the_topic) {
  const OpenOptions options{.retention = {.age_max = std::chrono::hours(1)}};
  open(options);
  append("a", 5);
  append("b", 5);
  clock().advance(std::chrono::hours(2));
  wait_for_begin(10);
  check_over_a_restart(options, [this] {
    EXPECT_TRUE(is_gone(4, {"a"}));
    EXPECT_FALSE(is_gone(5, {"a"}));
    EXPECT_TRUE(is_gone(9, {"b"}));
    EXPECT_FALSE(is_gone(10, {"b"}));
  });
}

TEST_P(LogGap, is_told_rather_than_missed_where_topics_were_forgotten) {
  constexpr std::uint64_t kTopics = 500;
  const OpenOptions options{.retention = {.records_max = 10}, .removed_topics_max = 32};
  open(options);
  std::vector<Event> events;
  for (std::uint64_t i = 0; i < kTopics; ++i) {
    events.push_back({.topics = {std::to_string(i)}});
  }
  shard().append_all(std::move(events));
  wait_for_begin(kTopics - 10);
  check_over_a_restart(options, [this] {
    std::uint64_t known = 0;
    for (std::uint64_t i = 0; i < kTopics - 10; ++i) {
      const std::string topic = std::to_string(i);
      ASSERT_TRUE(is_gone(i, {topic})) << topic;
      ASSERT_FALSE(is_gone(kTopics - 10, {topic})) << topic;
      known += is_gone(i + 1, {topic}) ? 0U : 1U;
    }
    EXPECT_GE(known, 16U);
    // A log that still knows all of them knows that this one never was there.
    EXPECT_EQ(is_gone(0, {"never heard of"}), known < kTopics - 10);
  });
}

}  // namespace
}  // namespace vrelo::log
