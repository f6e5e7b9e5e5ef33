// SPDX-License-Identifier: Apache-2.0
//
// What a tail promises: each record once, in order, and no gap where stored ones meet new ones.
#include <thread>

#include "test/conformance/log/log_testing.h"

namespace vrelo::log {
namespace {

using ::testing::ElementsAre;

using LogTail = LogTest;
INSTANTIATE_TEST_SUITE_P(EachLog, LogTail, each_variant(), name_of);

TEST_P(LogTail, gives_what_is_stored_and_then_what_comes) {
  Shard& shard = open();
  append("a", 2);
  const auto tail = shard.log().tail(shard.at(0));
  EXPECT_THAT(data_of(shard.next(*tail).value()), ElementsAre("0", "1"));
  shard.append({.topics = {"b"}, .data = "new"}).value();
  EXPECT_THAT(data_of(shard.next(*tail).value()), ElementsAre("new"));
}

TEST_P(LogTail, gives_records_as_a_read_does) {
  Shard& shard = open();
  const Event event{.topics = {"a", "b"},
                    .id = "id",
                    .type = "type",
                    .data = "data",
                    .retry = std::chrono::milliseconds(1500),
                    .is_private = true};
  const auto tail = shard.log().tail(shard.end());
  const Position position = shard.append(event).value().position;
  const auto records = shard.next(*tail).value();
  ASSERT_EQ(records.size(), 1U);
  EXPECT_EQ(records[0]->position, position);
  EXPECT_EQ(records[0]->stored_at, clock().wall());
  EXPECT_EQ(records[0]->event, event);
}

TEST_P(LogTail, waits_until_there_is_a_record) {
  Shard& shard = open();
  const auto tail = shard.log().tail(shard.end());
  const auto pending = shard.start_next(*tail);
  shard.poll();
  EXPECT_FALSE(pending.is_done());
  shard.append({.topics = {"t"}, .data = "d"}).value();
  EXPECT_THAT(data_of(shard.wait(pending).value()), ElementsAre("d"));
}

TEST_P(LogTail, waits_for_what_another_shard_stores) {
  Shard& shard = open();
  const auto tail = shard.log().tail(shard.end());
  for (int i = 0; i < 100; ++i) {
    const auto pending = shard.start_next(*tail);
    shard.poll();
    std::thread publisher([this, i] {
      Shard other(store());
      other.append({.topics = {"t"}, .data = std::to_string(i)}).value();
    });
    const auto records = shard.wait(pending);
    publisher.join();
    ASSERT_THAT(data_of(records.value()), ElementsAre(std::to_string(i)));
  }
}

TEST_P(LogTail, begins_after_its_position) {
  Shard& shard = open();
  const auto positions = append("t", 5);
  const auto from_within = shard.log().tail(positions[2]);
  const auto from_the_end = shard.log().tail(shard.end());
  EXPECT_THAT(data_of(shard.next(*from_within).value()), ElementsAre("3", "4"));
  shard.append({.topics = {"t"}, .data = "new"}).value();
  EXPECT_THAT(data_of(shard.next(*from_the_end).value()), ElementsAre("new"));
}

TEST_P(LogTail, gives_no_more_at_once_than_the_limits_allow) {
  Shard& shard = open();
  for (const auto* const data : {"1", "22", "333", "4444", "55555"}) {
    shard.append({.topics = {"t"}, .data = data}).value();
  }
  const auto tail = shard.log().tail(shard.at(0));
  EXPECT_THAT(data_of(shard.next(*tail, {.records_max = 2}).value()), ElementsAre("1", "22"));
  EXPECT_THAT(data_of(shard.next(*tail, {.bytes_max = 9}).value()), ElementsAre("333", "4444"));
  EXPECT_THAT(data_of(shard.next(*tail, {.bytes_max = 1}).value()), ElementsAre("55555"));
}

TEST_P(LogTail, is_not_told_of_an_event_that_was_repeated) {
  Shard& shard = open();
  const auto tail = shard.log().tail(shard.end());
  shard.append({.topics = {"t"}, .id = "i"}).value();
  shard.append({.topics = {"t"}, .id = "i"}).value();
  shard.append({.topics = {"t"}, .data = "next"}).value();
  std::vector<std::string> data;
  while (data.size() < 2) {
    for (const std::string& one : data_of(shard.next(*tail).value())) {
      data.push_back(one);
    }
  }
  EXPECT_THAT(data, ElementsAre("", "next"));
}

TEST_P(LogTail, misses_nothing_while_another_shard_stores) {
  constexpr std::size_t kBefore = 1000;
  constexpr std::size_t kBatches = 50;
  constexpr std::size_t kBatch = 40;
  Shard& shard = open();
  append("t", kBefore);
  std::thread publisher([this] {
    Shard other(store());
    for (std::size_t i = 0; i < kBatches; ++i) {
      other.append_all(std::vector<Event>(kBatch, {.topics = {"t"}}));
    }
  });
  const auto tail = shard.log().tail(shard.at(0));
  std::vector<RecordPtr> seen;
  while (seen.size() < kBefore + kBatches * kBatch) {
    const auto records = shard.next(*tail, {.records_max = 7}).value();
    seen.insert(seen.end(), records.begin(), records.end());
  }
  publisher.join();
  EXPECT_EQ(offsets_of(seen), offsets_of(shard.read_on(shard.at(0), {.all = true}).value()));
}

TEST_P(LogTail, is_one_of_several_that_go_at_their_own_pace) {
  Shard& shard = open();
  const auto first = shard.log().tail(shard.at(0));
  const auto second = shard.log().tail(shard.at(0));
  const auto pending = shard.start_next(*first);
  append("t", 3);
  std::vector<std::string> seen = data_of(shard.wait(pending).value());
  while (seen.size() < 3) {
    for (const std::string& one : data_of(shard.next(*first).value())) {
      seen.push_back(one);
    }
  }
  EXPECT_THAT(seen, ElementsAre("0", "1", "2"));
  EXPECT_THAT(data_of(shard.next(*second).value()), ElementsAre("0", "1", "2"));
}

TEST_P(LogTail, refuses_a_position_that_a_read_would_refuse) {
  Shard& shard = open({.retention = {.records_max = 2}});
  append("t", 5);
  wait_for_begin(3);
  for (const Position position :
       {shard.at(0), shard.at(2), shard.at(6), Position{.epoch = shard.end().epoch + 1}}) {
    const auto tail = shard.log().tail(position);
    EXPECT_EQ(shard.next(*tail).error(), Errc::kPositionGone) << position.offset;
  }
  const auto tail = shard.log().tail(shard.begin());
  EXPECT_THAT(data_of(shard.next(*tail).value()), ElementsAre("3", "4"));
}

TEST_P(LogTail, is_told_when_it_has_fallen_behind_retention) {
  Shard& shard = open({.retention = {.records_max = 10}});
  append("t", 10);
  const auto tail = shard.log().tail(shard.at(0));
  EXPECT_EQ(shard.next(*tail, {.records_max = 3})->size(), 3U);
  append("t", 5);
  wait_for_begin(5);
  EXPECT_EQ(shard.next(*tail).error(), Errc::kPositionGone);
}

TEST_P(LogTail, follows_a_log_that_was_emptied) {
  Shard& shard = open({.retention = {.age_max = std::chrono::hours(1)}});
  append("t", 10);
  const auto tail = shard.log().tail(shard.end());
  const auto pending = shard.start_next(*tail);
  shard.poll();
  clock().advance(std::chrono::hours(2));
  wait_for_begin(10);
  shard.append({.topics = {"t"}, .data = "new"}).value();
  EXPECT_THAT(data_of(shard.wait(pending).value()), ElementsAre("new"));
}

TEST_P(LogTail, ends_what_is_pending_when_it_is_stopped) {
  Shard& shard = open();
  const auto tail = shard.log().tail(shard.end());
  const auto other = shard.log().tail(shard.end());
  const auto pending = shard.start_next(*tail);
  const auto other_pending = shard.start_next(*other);
  shard.poll();
  tail->stop();
  tail->stop();
  EXPECT_EQ(shard.wait(pending).error(), Errc::kStopped);
  EXPECT_EQ(shard.next(*tail).error(), Errc::kStopped);
  shard.append({.topics = {"t"}, .data = "d"}).value();
  EXPECT_THAT(data_of(shard.wait(other_pending).value()), ElementsAre("d"));
}

TEST_P(LogTail, gives_nothing_after_it_was_stopped) {
  Shard& shard = open();
  append("t", 3);
  const auto tail = shard.log().tail(shard.at(0));
  tail->stop();
  EXPECT_EQ(shard.next(*tail).error(), Errc::kStopped);
}

TEST_P(LogTail, ends_with_its_log) {
  Shard& shard = open();
  append("t", 3);
  const auto waiting = shard.log().tail(shard.end());
  const auto ready = shard.log().tail(shard.at(0));
  const auto pending = shard.start_next(*waiting);
  shard.poll();
  shard.log().stop();
  EXPECT_EQ(shard.wait(pending).error(), Errc::kStopped);
  EXPECT_EQ(shard.next(*waiting).error(), Errc::kStopped);
  EXPECT_EQ(shard.next(*ready).error(), Errc::kStopped);
  const auto late = shard.log().tail(shard.at(0));
  EXPECT_EQ(shard.next(*late).error(), Errc::kStopped);
}

}  // namespace
}  // namespace vrelo::log
