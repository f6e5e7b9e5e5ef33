// SPDX-License-Identifier: Apache-2.0
//
// What append() promises, and what a read then sees.
#include <algorithm>
#include <map>
#include <set>
#include <string_view>
#include <thread>

#include "test/conformance/log/log_testing.h"

namespace vrelo::log {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;
using ::testing::UnorderedElementsAre;

using LogAppend = LogTest;
INSTANTIATE_TEST_SUITE_P(EachLog, LogAppend, each_implementation(), name_of);

TEST_P(LogAppend, begins_with_nothing) {
  Shard& shard = open();
  EXPECT_EQ(shard.end().offset, 0U);
  EXPECT_EQ(shard.begin(), shard.end());
  const Page page = shard.read(shard.end(), {.all = true}).value();
  EXPECT_THAT(page.records, IsEmpty());
  EXPECT_EQ(page.next, shard.end());
  EXPECT_EQ(shard.find("id").value(), std::nullopt);
}

TEST_P(LogAppend, gives_back_each_field_as_it_was_stored) {
  struct Case {
    std::string_view about;
    Event event;
  };
  const std::vector<Case> cases = {
      {.about = "a topic alone", .event = {.topics = {"t"}}},
      {.about = "everything",
       .event = {.topics = {"a", "b", "c"},
                 .id = "id",
                 .type = "type",
                 .data = "data",
                 .retry = std::chrono::milliseconds(1500),
                 .is_private = true}},
      {.about = "topics that are equal", .event = {.topics = {"a", "a"}}},
      {.about = "a retry of 0", .event = {.topics = {"t"}, .retry = std::chrono::milliseconds(0)}},
      {.about = "the longest retry",
       .event = {.topics = {"t"}, .retry = std::chrono::milliseconds::max()}},
      {.about = "lines, and a NUL",
       .event = {.topics = {"t"}, .data = std::string("a\nb\r\nc\rd\0e\n", 11)}},
      {.about = "text that is not ASCII",
       .event =
           {.topics = {"häuser/\u2603"}, .id = "\u00e9", .type = "\u6f22", .data = "\U0001f600"}},
      {.about = "what SQL might take for its own",
       .event = {.topics = {"'); DROP TABLE records; --"}, .id = "%_'\"", .data = "\\"}},
      {.about = "a mebibyte", .event = {.topics = {"t"}, .data = std::string(1 << 20, 'x')}},
      {.about = "many topics", .event = {.topics = std::vector<std::string>(1000, "topic")}},
  };
  Shard& shard = open();
  for (const Case& c : cases) {
    SCOPED_TRACE(c.about);
    const Position before = shard.end();
    const Appended appended = shard.append(c.event).value();
    EXPECT_TRUE(appended.is_new);
    EXPECT_GT(appended.position, before);
    EXPECT_EQ(shard.end(), appended.position);
    const Page page = shard.read(before, {.topics = {c.event.topics.back()}}).value();
    ASSERT_EQ(page.records.size(), 1U);
    EXPECT_EQ(page.records[0]->position, appended.position);
    EXPECT_EQ(page.records[0]->stored_at, clock().wall());
    EXPECT_EQ(page.records[0]->event, c.event);
    clock().advance(std::chrono::milliseconds(7));
  }
}

TEST_P(LogAppend, stores_events_in_the_order_in_which_a_shard_starts_them) {
  Shard& shard = open();
  const std::vector<Position> positions = append("t", 2000);
  EXPECT_TRUE(std::is_sorted(positions.begin(), positions.end()));
  const auto records = shard.read_on(shard.at(0), {.all = true}).value();
  ASSERT_EQ(records.size(), 2000U);
  for (std::size_t i = 0; i < records.size(); ++i) {
    ASSERT_EQ(records[i]->position, positions[i]);
    ASSERT_EQ(records[i]->event.data, std::to_string(i));
  }
}

TEST_P(LogAppend, is_seen_by_a_read_that_starts_after_it) {
  Shard& shard = open();
  for (int i = 0; i < 100; ++i) {
    const Position before = shard.end();
    shard.append({.topics = {"t"}, .id = std::to_string(i)}).value();
    ASSERT_EQ(shard.read(before, {.topics = {"t"}})->records.size(), 1U);
    ASSERT_EQ(shard.read(before, {.all = true})->records.size(), 1U);
    ASSERT_EQ(shard.find(std::to_string(i)).value(), shard.end());
  }
}

TEST_P(LogAppend, is_seen_by_the_other_shards) {
  Shard& shard = open();
  Shard other(store());
  const Position position =
      shard.append({.topics = {"t"}, .id = "i", .data = "d"}).value().position;
  EXPECT_EQ(other.end(), position);
  EXPECT_THAT(data_of(other.read(other.at(0), {.topics = {"t"}})->records), ElementsAre("d"));
  EXPECT_EQ(other.find("i").value(), position);
}

TEST_P(LogAppend, acknowledges_an_event_that_is_repeated_with_the_position_of_the_first) {
  Shard& shard = open();
  const Event event{.topics = {"a", "b"}, .id = "i", .type = "y", .data = "d", .is_private = true};
  const Position first = shard.append(event).value().position;
  shard.append({.topics = {"a"}, .data = "in between"}).value();
  const Position end = shard.end();
  for (int i = 0; i < 3; ++i) {
    const Appended again = shard.append(event).value();
    EXPECT_FALSE(again.is_new);
    EXPECT_EQ(again.position, first);
  }
  EXPECT_EQ(shard.end(), end);
  EXPECT_THAT(data_of(shard.read(shard.at(0), {.all = true})->records),
              ElementsAre("d", "in between"));
}

TEST_P(LogAppend, takes_an_event_with_a_known_id_and_other_content_for_another_event) {
  const Event event{.topics = {"a", "b"}, .id = "i", .data = "d"};
  struct Case {
    std::string_view about;
    Event other;
  };
  std::vector<Case> cases(8, {.about = "", .other = event});
  cases[0].about = "a topic less";
  cases[0].other.topics = {"a"};
  cases[1].about = "topics in another order";
  cases[1].other.topics = {"b", "a"};
  cases[2].about = "other data";
  cases[2].other.data = "e";
  cases[3].about = "a type";
  cases[3].other.type = "y";
  cases[4].about = "a retry";
  cases[4].other.retry = std::chrono::milliseconds(0);
  cases[5].about = "another retry";
  cases[5].other.retry = std::chrono::milliseconds(1);
  cases[6].about = "private";
  cases[6].other.is_private = true;
  cases[7].about = "what was a topic is data";
  cases[7].other = {.topics = {"a"}, .id = "i", .data = "bd"};
  Shard& shard = open();
  const Position first = shard.append(event).value().position;
  for (const Case& c : cases) {
    SCOPED_TRACE(c.about);
    const Appended other = shard.append(c.other).value();
    EXPECT_TRUE(other.is_new);
    EXPECT_EQ(shard.append(c.other).value().position, other.position);
  }
  EXPECT_EQ(shard.append(event).value().position, first);
  EXPECT_EQ(shard.find("i").value(), first);
  EXPECT_EQ(shard.read(shard.at(0), {.all = true})->records.size(), 1 + cases.size());
}

TEST_P(LogAppend, stores_each_of_equal_events_that_have_no_id) {
  Shard& shard = open();
  const Event event{.topics = {"t"}, .data = "d"};
  EXPECT_TRUE(shard.append(event).value().is_new);
  EXPECT_TRUE(shard.append(event).value().is_new);
  EXPECT_THAT(data_of(shard.read(shard.at(0), {.all = true})->records), ElementsAre("d", "d"));
  EXPECT_EQ(shard.find("").value(), std::nullopt);
}

TEST_P(LogAppend, stores_one_of_equal_events_that_are_started_together) {
  Shard& shard = open();
  const auto results =
      shard.append_all(std::vector<Event>(1000, {.topics = {"t"}, .id = "i", .data = "d"}));
  for (std::size_t i = 0; i < results.size(); ++i) {
    ASSERT_EQ(results[i]->position, results[0]->position);
    ASSERT_EQ(results[i]->is_new, i == 0);
  }
  EXPECT_EQ(shard.read(shard.at(0), {.all = true})->records.size(), 1U);
}

TEST_P(LogAppend, leaves_one_record_of_an_event_that_64_publishers_send_a_thousand_times) {
  open();
  constexpr int kShards = 2;
  constexpr int kPublishersPerShard = 32;
  const Event event{.topics = {"t"}, .id = "i", .data = "d"};
  std::vector<int> stored(kShards);
  std::vector<std::set<std::uint64_t>> offsets(kShards);
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < kShards; ++i) {
    threads.emplace_back([this, &event, &count = stored[i], &seen = offsets[i]] {
      Shard shard(store());
      for (int round = 0; round < 1000; ++round) {
        for (const auto& result :
             shard.append_all(std::vector<Event>(kPublishersPerShard, event))) {
          count += result.value().is_new ? 1 : 0;
          seen.insert(result.value().position.offset);
        }
      }
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  EXPECT_EQ(stored[0] + stored[1], 1);
  EXPECT_THAT(offsets[0], ElementsAre(shard().end().offset));
  EXPECT_EQ(offsets[0], offsets[1]);
  EXPECT_EQ(shard().read(shard().at(0), {.all = true})->records.size(), 1U);
}

TEST_P(LogAppend, puts_the_events_of_two_shards_in_one_order) {
  open();
  const auto publish = [this](const std::string& topic) {
    Shard shard(store());
    for (int round = 0; round < 20; ++round) {
      std::vector<Event> events;
      events.reserve(50);
      for (int i = 0; i < 50; ++i) {
        events.push_back({.topics = {topic}, .data = std::to_string(50 * round + i)});
      }
      for (const auto& result : shard.append_all(std::move(events))) {
        ASSERT_TRUE(result);
      }
    }
  };
  std::thread first(publish, "first");
  std::thread second(publish, "second");
  first.join();
  second.join();
  const auto records = shard().read_on(shard().at(0), {.all = true}).value();
  EXPECT_TRUE(std::is_sorted(records.begin(), records.end(), [](const auto& a, const auto& b) {
    return a->position < b->position;
  }));
  std::map<std::string, int> next;
  for (const RecordPtr& record : records) {
    ASSERT_EQ(record->event.data, std::to_string(next[record->event.topics[0]]++));
  }
  EXPECT_THAT(next, UnorderedElementsAre(Pair("first", 1000), Pair("second", 1000)));
}

TEST_P(LogAppend, is_refused_after_the_log_was_stopped) {
  Shard& shard = open();
  shard.append({.topics = {"t"}, .id = "i"}).value();
  const Position end = shard.end();
  shard.log().stop();
  shard.log().stop();
  EXPECT_EQ(shard.append({.topics = {"t"}}).error(), Errc::kStopped);
  EXPECT_EQ(shard.read(end, {.all = true}).error(), Errc::kStopped);
  EXPECT_EQ(shard.find("i").error(), Errc::kStopped);
}

TEST_P(LogAppend, goes_on_when_the_log_of_another_shard_was_stopped) {
  Shard& shard = open();
  Shard other(store());
  other.log().stop();
  EXPECT_TRUE(shard.append({.topics = {"t"}}));
  EXPECT_EQ(other.append({.topics = {"t"}}).error(), Errc::kStopped);
  EXPECT_EQ(shard.read(shard.at(0), {.all = true})->records.size(), 1U);
}

TEST_P(LogAppend, completes_each_operation_that_is_pending_when_the_log_is_stopped) {
  Shard& shard = open();
  std::vector<Pending<Appended>> appends;
  std::vector<Pending<Page>> reads;
  for (int i = 0; i < 100; ++i) {
    appends.push_back(shard.start_append({.topics = {"t"}}));
    reads.push_back(shard.start_read(shard.at(0), {.all = true}));
  }
  shard.poll();
  shard.log().stop();
  for (const auto& pending : appends) {
    const auto result = shard.wait(pending);
    EXPECT_TRUE(result || result.error() == Errc::kStopped);
  }
  for (const auto& pending : reads) {
    const auto result = shard.wait(pending);
    EXPECT_TRUE(result || result.error() == Errc::kStopped);
  }
}

}  // namespace
}  // namespace vrelo::log
