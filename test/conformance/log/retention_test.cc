// SPDX-License-Identifier: Apache-2.0
//
// What limits remove and what they leave, and when a log is full.
#include <numeric>

#include "test/conformance/log/log_testing.h"

namespace vrelo::log {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr Retention kNoLimit{.bytes_max = 0, .records_max = 0, .age_max = std::chrono::seconds(0)};
constexpr std::chrono::seconds kHour = std::chrono::hours(1);

class LogRetention : public LogTest {
 protected:
  // The offsets of all that is kept.
  std::vector<std::uint64_t> kept() {
    return offsets_of(shard().read_on(shard().begin(), {.all = true}).value());
  }

  static std::vector<std::uint64_t> from_to(std::uint64_t first, std::uint64_t last) {
    std::vector<std::uint64_t> offsets(last - first + 1);
    std::iota(offsets.begin(), offsets.end(), first);
    return offsets;
  }
};
INSTANTIATE_TEST_SUITE_P(EachLog, LogRetention, each_variant(), name_of);

TEST_P(LogRetention, keeps_as_many_events_as_it_was_told) {
  open({.retention = {.records_max = 10}});
  append("t", 10);
  wait_for_begin(0);
  append("t", 1);
  wait_for_begin(1);
  append("t", 500);
  wait_for_begin(501);
  EXPECT_EQ(kept(), from_to(502, 511));
  EXPECT_EQ(shard().end().offset, 511U);
}

TEST_P(LogRetention, keeps_as_many_bytes_as_it_was_told) {
  constexpr std::size_t kDataBytes = 20'000;
  open({.retention = {.bytes_max = 10 * kDataBytes}});
  for (int i = 0; i < 100; ++i) {
    shard().append({.topics = {"t"}, .data = std::string(kDataBytes, 'x')}).value();
  }
  // What an implementation counts besides the data is its own, but it is not a tenth of this.
  wait_for_begin(91);
  EXPECT_EQ(kept(), from_to(92, 100));
}

TEST_P(LogRetention, keeps_events_for_as_long_as_it_was_told) {
  open({.retention = {.age_max = kHour}});
  append("t", 5);
  clock().advance(std::chrono::minutes(20));
  append("t", 5);
  clock().advance(std::chrono::minutes(40) - std::chrono::seconds(1));
  wait_for_begin(0);
  clock().advance(std::chrono::seconds(2));
  wait_for_begin(5);
  EXPECT_EQ(kept(), from_to(6, 10));
  clock().advance(std::chrono::minutes(20));
  wait_for_begin(10);
  EXPECT_THAT(kept(), IsEmpty());
}

TEST_P(LogRetention, removes_and_keeps_nothing_because_the_time_of_day_was_set) {
  open({.retention = {.age_max = kHour}});
  append("t", 5);
  clock().step_wall(std::chrono::hours(24));
  append("t", 5);
  wait_for_begin(0);
  EXPECT_EQ(kept(), from_to(1, 10));
  clock().advance(std::chrono::minutes(30));
  clock().step_wall(-std::chrono::hours(48));
  append("t", 5);
  wait_for_begin(0);
  EXPECT_EQ(kept(), from_to(1, 15));
  clock().advance(std::chrono::minutes(30) + std::chrono::seconds(1));
  wait_for_begin(10);
  clock().advance(std::chrono::minutes(30));
  wait_for_begin(15);
}

TEST_P(LogRetention, keeps_what_no_limit_removes) {
  open({.retention = kNoLimit});
  append("t", 3000);
  clock().advance(std::chrono::hours(24 * 365 * 10));
  append("t", 1);
  wait_for_begin(0);
  EXPECT_EQ(kept(), from_to(1, 3001));
}

TEST_P(LogRetention, obeys_the_limit_that_is_reached_first) {
  open({.retention = {.bytes_max = 20'000, .records_max = 10, .age_max = kHour}});
  append("t", 15);
  wait_for_begin(5);
  for (int i = 0; i < 3; ++i) {
    shard().append({.topics = {"t"}, .data = std::string(8'000, 'x')}).value();
  }
  wait_for_begin(16);
  clock().advance(kHour + std::chrono::seconds(1));
  wait_for_begin(18);
}

TEST_P(LogRetention, takes_new_limits_at_once) {
  open({.retention = kNoLimit});
  append("t", 3000);
  set_retention({.records_max = 100});
  wait_for_begin(2900);
  set_retention({.records_max = 200});
  append("t", 100);
  wait_for_begin(2900);
  EXPECT_EQ(kept(), from_to(2901, 3100));
  append("t", 1);
  wait_for_begin(2901);
}

TEST_P(LogRetention, keeps_its_end_when_it_was_emptied) {
  open({.retention = {.age_max = kHour}});
  append("t", 7);
  const Position end = shard().end();
  clock().advance(2 * kHour);
  wait_for_begin(7);
  EXPECT_EQ(shard().end(), end);
  EXPECT_EQ(shard().begin(), end);
  EXPECT_THAT(kept(), IsEmpty());
  EXPECT_EQ(shard().read(end, {.all = true})->next, end);
  EXPECT_EQ(shard().append({.topics = {"t"}})->position, shard().at(8));
}

TEST_P(LogRetention, forgets_the_ids_of_what_it_removes) {
  open({.retention = {.records_max = 10}});
  const Event event{.topics = {"t"}, .id = "i", .data = "d"};
  const Position first = shard().append(event)->position;
  const Position second = shard().append({.topics = {"t"}, .id = "i", .data = "e"})->position;
  EXPECT_EQ(shard().find("i").value(), first);
  append("t", 9);
  wait_for_begin(1);
  EXPECT_EQ(shard().find("i").value(), second);
  append("t", 1);
  wait_for_begin(2);
  EXPECT_EQ(shard().find("i").value(), std::nullopt);
  EXPECT_TRUE(shard().append(event)->is_new);
  EXPECT_EQ(shard().find("i").value(), shard().end());
}

TEST_P(LogRetention, takes_whatever_it_removed_for_what_a_pattern_may_match) {
  const auto base = base::UrlBase::make("https://hub.example.com/.well-known/mercure");
  const Selection selection{.patterns = {base::UrlPattern::make("/books/:id", base)}};
  open({.retention = {.records_max = 10}});
  append("/authors/1", 10);
  shard().append({.topics = {"/books/1"}, .data = "d"}).value();
  wait_for_begin(1);
  EXPECT_EQ(shard().read(shard().at(0), selection).error(), Errc::kPositionGone);
  EXPECT_EQ(data_of(shard().read(shard().begin(), selection)->records),
            std::vector<std::string>{"d"});
}

TEST_P(LogRetention, never_leaves_a_hole_in_what_is_read_on) {
  open({.retention = {.records_max = 100}});
  append("t", 100);
  for (const Selection& selection : {Selection{.all = true}, Selection{.topics = {"t"}}}) {
    const Position after =
        shard().read(shard().begin(), selection, {.records_max = 10}).value().next;
    append("t", 11);
    wait_for_begin(after.offset + 1);
    EXPECT_EQ(shard().read(after, selection).error(), Errc::kPositionGone);
    EXPECT_EQ(shard().read_on(shard().begin(), selection)->size(), 100U);
  }
}

TEST_P(LogRetention, does_not_stop_publishers_while_it_removes) {
  open({.retention = kNoLimit});
  append("t", 20'000);
  set_retention({.records_max = 10});
  for (std::uint64_t i = 1; i <= 10; ++i) {
    EXPECT_EQ(shard().append({.topics = {"t"}})->position.offset, 20'000 + i);
  }
  wait_for_begin(20'000);
  EXPECT_EQ(kept(), from_to(20'001, 20'010));
}

TEST_P(LogRetention, refuses_an_event_that_it_could_not_keep) {
  open({.retention = {.bytes_max = 100'000}});
  append("t", 1);
  const Position end = shard().end();
  const Event event{.topics = {"t"}, .id = "i", .data = std::string(200'000, 'x')};
  EXPECT_EQ(shard().append(event).error(), Errc::kFull);
  EXPECT_EQ(shard().end(), end);
  EXPECT_EQ(shard().find("i").value(), std::nullopt);
  wait_for_begin(0);  // it has cost nothing
}

TEST_P(LogRetention, takes_events_again_when_there_is_room) {
  open({.retention = {.bytes_max = 100'000}});
  const auto tail = shard().log().tail(shard().end());
  const Event event{.topics = {"t"}, .data = std::string(200'000, 'x')};
  const auto results = shard().append_all(
      {{.topics = {"t"}, .data = "before"}, event, {.topics = {"t"}, .data = "after"}});
  EXPECT_TRUE(results[0]);
  EXPECT_EQ(results[1].error(), Errc::kFull);
  EXPECT_TRUE(results[2]);
  set_retention({.bytes_max = 1'000'000});
  EXPECT_EQ(shard().append(event)->position.offset, 3U);
  std::vector<std::size_t> sizes;
  while (sizes.size() < 3) {
    for (const std::string& data : data_of(shard().next(*tail).value())) {
      sizes.push_back(data.size());
    }
  }
  EXPECT_THAT(sizes, ElementsAre(6U, 5U, 200'000U));
}

}  // namespace
}  // namespace vrelo::log
