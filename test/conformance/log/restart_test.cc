// SPDX-License-Identifier: Apache-2.0
//
// What a store that is opened again still has, and what it never does: use a position twice.
#include <map>
#include <set>

#include <fmt/format.h>

#include "test/conformance/log/log_testing.h"

namespace vrelo::log {
namespace {

using ::testing::ElementsAre;

constexpr std::chrono::seconds kHour = std::chrono::hours(1);

using LogRestart = LogTest;
INSTANTIATE_TEST_SUITE_P(EachLog, LogRestart, each_variant(), name_of);

TEST_P(LogRestart, gives_back_what_it_kept_or_begins_a_new_epoch) {
  open();
  const Event event{.topics = {"a", "b"},
                    .id = "id",
                    .type = "type",
                    .data = "data",
                    .retry = std::chrono::milliseconds(7),
                    .is_private = true};
  append("a", 3);
  const Position position = shard().append(event).value().position;
  const auto stored_at = clock().wall();
  clock().advance(kHour);
  open();
  if (!persists()) {
    EXPECT_NE(shard().end().epoch, position.epoch);
    EXPECT_EQ(shard().end().offset, 0U);
    EXPECT_EQ(shard().read(position, {.all = true}).error(), Errc::kPositionGone);
    return;
  }
  EXPECT_EQ(shard().end(), position);
  EXPECT_EQ(shard().begin(), shard().at(0));
  const auto records = shard().read(shard().at(0), {.topics = {"b"}}).value().records;
  ASSERT_EQ(records.size(), 1U);
  EXPECT_EQ(records[0]->position, position);
  EXPECT_EQ(records[0]->stored_at, stored_at);
  EXPECT_EQ(records[0]->event, event);
  EXPECT_EQ(shard().find("id").value(), position);
  EXPECT_EQ(shard().append(event)->position, position);
  EXPECT_EQ(shard().read(shard().at(0), {.all = true})->records.size(), 4U);
  const auto tail = shard().log().tail(shard().at(2));
  EXPECT_THAT(data_of(shard().next(*tail).value()), ElementsAre("2", "data"));
}

TEST_P(LogRestart, uses_no_offset_twice_in_an_epoch) {
  const OpenOptions options{.retention = {.records_max = 20, .age_max = kHour}};
  std::set<std::pair<std::uint64_t, std::uint64_t>> used;
  std::map<std::uint64_t, std::uint64_t> last;  // offset, by epoch
  for (int start = 0; start < 12; ++start) {
    open(options);
    const bool emptied = start % 3 == 1;
    for (const Position& position : append("t", 7 * start % 30)) {
      ASSERT_TRUE(used.emplace(position.epoch, position.offset).second);
      ASSERT_GT(position.offset, last[position.epoch]);
      last[position.epoch] = position.offset;
    }
    const Position end = shard().end();
    if (emptied) {
      clock().advance(2 * kHour);
      wait_for_begin(end.offset);
    }
    EXPECT_EQ(shard().end(), end);
  }
  EXPECT_EQ(last.size(), persists() ? 1U : 11U);  // the first start stores nothing
}

TEST_P(LogRestart, keeps_the_end_of_an_emptied_log) {
  const OpenOptions options{.retention = {.age_max = kHour}};
  open(options);
  append("t", 5);
  const Position end = shard().end();
  clock().advance(2 * kHour);
  wait_for_begin(5);
  open(options);
  if (!persists()) {
    EXPECT_NE(shard().end().epoch, end.epoch);
    return;
  }
  EXPECT_EQ(shard().end(), end);
  EXPECT_EQ(shard().begin(), end);
  EXPECT_EQ(shard().read(end, {.all = true})->next, end);
  EXPECT_EQ(shard().read(shard().at(0), {.all = true}).error(), Errc::kPositionGone);
  EXPECT_EQ(shard().append({.topics = {"t"}})->position, shard().at(6));
}

TEST_P(LogRestart, removes_what_became_too_old_in_the_meantime) {
  const OpenOptions options{.retention = {.age_max = kHour}};
  open(options);
  append("t", 5);
  close();
  clock().advance(kHour / 2);
  open(options);
  append("t", 5);
  if (!persists()) {
    return;
  }
  wait_for_begin(0);
  close();
  clock().advance(kHour / 2 + std::chrono::seconds(1));
  open(options);
  clock().advance(std::chrono::minutes(1));  // before, the time of day is not believed
  wait_for_begin(5);
  EXPECT_EQ(shard().read(shard().begin(), {.all = true})->records.size(), 5U);
}

TEST_P(LogRestart, removes_nothing_of_the_last_minute_wherever_the_time_of_day_was_set) {
  const OpenOptions options{.retention = {.age_max = kHour}};
  for (const int hours : {24, -24}) {
    for (const bool is_open : {true, false}) {
      SCOPED_TRACE(fmt::format("set by {} h while {}", hours, is_open ? "open" : "closed"));
      open(options);
      const std::uint64_t begin = persists() ? shard().end().offset : 0;
      append("t", 5);
      if (is_open) {
        clock().step_wall(std::chrono::hours(hours));
      }
      append("t", 5);
      close();
      if (!is_open) {
        clock().step_wall(std::chrono::hours(hours));
      }
      open(options);
      append("t", 1);  // whatever may go goes with it
      EXPECT_EQ(shard().begin().offset, begin);
      clock().advance(std::chrono::seconds(59));
      append("t", 1);
      EXPECT_EQ(shard().begin().offset, begin);
      // A clock that is wrong keeps nothing for ever.
      clock().advance(kHour + std::chrono::seconds(1));
      wait_for_begin(shard().end().offset);
    }
  }
}

TEST_P(LogRestart, never_lets_the_time_of_storage_decrease) {
  open();
  const auto first = clock().wall();
  append("t", 1);
  clock().step_wall(-std::chrono::hours(24));
  append("t", 1);
  const auto later = shard().read(shard().begin(), {.all = true}).value().records;
  ASSERT_EQ(later.size(), 2U);
  EXPECT_EQ(later[0]->stored_at, first);
  EXPECT_EQ(later[1]->stored_at, first);
  open();
  append("t", 1);
  clock().step_wall(std::chrono::hours(48));
  append("t", 1);
  const auto records = shard().read(shard().begin(), {.all = true}).value().records;
  ASSERT_EQ(records.size(), persists() ? 4U : 2U);
  for (std::size_t i = 1; i < records.size(); ++i) {
    EXPECT_LE(records[i - 1]->stored_at, records[i]->stored_at);
  }
  EXPECT_EQ(records.back()->stored_at, clock().wall());
}

TEST_P(LogRestart, obeys_limits_that_were_lowered_in_the_meantime) {
  open();
  append("t", 300);
  const OpenOptions options{.retention = {.records_max = 10}};
  open(options);
  if (!persists()) {
    EXPECT_EQ(shard().end().offset, 0U);
    return;
  }
  wait_for_begin(290);
}

TEST_P(LogRestart, finishes_what_was_accepted_before_it_closed) {
  open();
  std::vector<Pending<Appended>> pending;
  pending.reserve(500);
  for (int i = 0; i < 500; ++i) {
    pending.push_back(shard().start_append({.topics = {"t"}, .data = std::to_string(i)}));
  }
  shard().poll();  // the log has all of them now
  store().close();
  std::vector<Position> positions;
  for (const auto& one : pending) {
    const auto result = shard().wait(one);
    ASSERT_TRUE(result);
    positions.push_back(result->position);
  }
  open();
  if (!persists()) {
    EXPECT_EQ(shard().end().offset, 0U);
    return;
  }
  const auto records = shard().read_on(shard().at(0), {.all = true}).value();
  ASSERT_EQ(records.size(), positions.size());
  for (std::size_t i = 0; i < records.size(); ++i) {
    ASSERT_EQ(records[i]->position, positions[i]);
    ASSERT_EQ(records[i]->event.data, std::to_string(i));
  }
}

TEST_P(LogRestart, stops_the_logs_of_a_store_that_is_closed) {
  open();
  append("t", 3);
  const auto tail = shard().log().tail(shard().end());
  const auto pending = shard().start_next(*tail);
  shard().poll();
  store().close();
  store().close();
  EXPECT_EQ(shard().wait(pending).error(), Errc::kStopped);
  EXPECT_EQ(shard().append({.topics = {"t"}}).error(), Errc::kStopped);
  EXPECT_EQ(shard().read(shard().at(0), {.all = true}).error(), Errc::kStopped);
  EXPECT_EQ(shard().find("i").error(), Errc::kStopped);
}

}  // namespace
}  // namespace vrelo::log
