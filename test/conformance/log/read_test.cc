// SPDX-License-Identifier: Apache-2.0
//
// What read() and find() promise.
#include <string_view>

#include "test/conformance/log/log_testing.h"

namespace vrelo::log {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

using LogRead = LogTest;
INSTANTIATE_TEST_SUITE_P(EachLog, LogRead, each_variant(), name_of);

Selection matching(const std::vector<std::string>& patterns, std::vector<std::string> topics = {}) {
  const auto base = base::UrlBase::make("https://hub.example.com/.well-known/mercure");
  Selection selection{.topics = std::move(topics)};
  for (const std::string& text : patterns) {
    selection.patterns.push_back(base::UrlPattern::make(text, base));
  }
  return selection;
}

std::vector<Event> events_of(const std::vector<std::vector<std::string>>& topics) {
  std::vector<Event> events;
  events.reserve(topics.size());
  for (const auto& of_one : topics) {
    events.push_back({.topics = of_one, .data = std::to_string(events.size() + 1)});
  }
  return events;
}

TEST_P(LogRead, gives_the_records_that_have_one_of_the_topics_each_once) {
  struct Case {
    std::string_view about;
    Selection selection;
    std::vector<std::string> data;
  };
  const std::vector<Case> cases = {
      {"one topic", {.topics = {"a"}}, {"1", "3", "5"}},
      {"a topic that is not the first", {.topics = {"b"}}, {"2", "3", "5"}},
      {"two topics", {.topics = {"a", "b"}}, {"1", "2", "3", "5"}},
      {"the same in another order", {.topics = {"b", "a"}}, {"1", "2", "3", "5"}},
      {"a topic twice", {.topics = {"a", "a"}}, {"1", "3", "5"}},
      {"a topic that there is none of", {.topics = {"none"}}, {}},
      {"the same beside another", {.topics = {"none", "c"}}, {"4", "5"}},
      {"a part of a name", {.topics = {"lon"}}, {}},
      {"a name in other letters", {.topics = {"A"}}, {}},
      {"a name with more behind it", {.topics = {"long"}}, {"6"}},
      {"the longer name", {.topics = {"long/er"}}, {"7"}},
      {"what SQL takes for anything", {.topics = {"%", "*", "_"}}, {}},
      {"no topic", {}, {}},
      {"all", {.all = true}, {"1", "2", "3", "4", "5", "6", "7"}},
      {"all, whatever the topics",
       {.all = true, .topics = {"a"}},
       {"1", "2", "3", "4", "5", "6", "7"}},
  };
  Shard& shard = open();
  shard.append_all(
      events_of({{"a"}, {"b"}, {"a", "b"}, {"c"}, {"c", "b", "a", "a"}, {"long"}, {"long/er"}}));
  for (const Case& c : cases) {
    SCOPED_TRACE(c.about);
    const Page page = shard.read(shard.at(0), c.selection).value();
    EXPECT_EQ(data_of(page.records), c.data);
    EXPECT_EQ(page.next, shard.end());
  }
}

TEST_P(LogRead, gives_the_records_of_which_a_pattern_matches_a_topic_each_once) {
  struct Case {
    std::string_view about;
    std::vector<std::string> patterns;
    std::vector<std::string> topics;
    std::vector<std::string> data;
  };
  const std::vector<Case> cases = {
      {"one pattern", {"/books/:id"}, {}, {"1", "3", "4"}},
      {"a pattern of one topic", {"https://example.com/books/1"}, {}, {"2", "3"}},
      {"two patterns", {"/books/:id", "*://*/books/1"}, {}, {"1", "2", "3", "4"}},
      {"a pattern and a topic", {"/books/2"}, {"none", "/authors/1"}, {"4", "5"}},
      {"a pattern that there is none of", {"/none"}, {}, {}},
  };
  Shard& shard = open();
  shard.append_all(events_of({{"/books/1"},
                              {"https://example.com/books/1"},
                              {"/books/1", "https://example.com/books/1"},
                              {"http://[bad", "/authors/2", "/books/2", "/books/1"},
                              {"/authors/1"}}));
  for (const Case& c : cases) {
    SCOPED_TRACE(c.about);
    const Selection selection = matching(c.patterns, c.topics);
    const Page page = shard.read(shard.at(0), selection).value();
    EXPECT_EQ(data_of(page.records), c.data);
    EXPECT_EQ(page.next, shard.end());
    // Page by page.
    EXPECT_EQ(data_of(shard.read_on(shard.at(0), selection, {.records_max = 1}).value()), c.data);
    EXPECT_EQ(data_of(shard.read_on(shard.at(0), selection, {.bytes_max = 1}).value()), c.data);
  }
}

TEST_P(LogRead, looks_at_so_many_records_for_a_pattern_that_others_need_not_wait) {
  constexpr int kRecords = 20'000;
  Shard& shard = open({.retention = {.bytes_max = 0}});
  append("/authors/1", kRecords);
  shard.append({.topics = {"/books/1"}, .data = "wanted"}).value();
  const Selection selection = matching({"/books/:id"});
  Position after = shard.at(0);
  std::size_t pages = 0;
  while (after != shard.end()) {
    const std::uint64_t before = records_visited();
    const Page page = shard.read(after, selection).value();
    ASSERT_LT(after, page.next);
    EXPECT_LE(records_visited() - before, 10'000U);
    EXPECT_EQ(page.records.empty(), page.next != shard.end());
    after = page.next;
    ++pages;
  }
  EXPECT_GT(pages, 1U);
  EXPECT_THAT(data_of(shard.read_on(shard.at(0), selection).value()), ElementsAre("wanted"));
}

TEST_P(LogRead, begins_after_the_position) {
  Shard& shard = open();
  const std::vector<Position> positions = append("t", 5);
  for (const Selection& selection : {Selection{.all = true}, Selection{.topics = {"t"}}}) {
    EXPECT_THAT(data_of(shard.read(shard.begin(), selection)->records),
                ElementsAre("0", "1", "2", "3", "4"));
    EXPECT_THAT(data_of(shard.read(positions[2], selection)->records), ElementsAre("3", "4"));
    EXPECT_THAT(data_of(shard.read(positions[3], selection)->records), ElementsAre("4"));
    EXPECT_THAT(shard.read(positions[4], selection)->records, IsEmpty());
  }
}

TEST_P(LogRead, goes_on_where_the_last_page_ended) {
  struct Case {
    std::string_view about;
    ReadLimits limits;
    std::vector<std::vector<std::string>> pages;
  };
  const std::vector<Case> cases = {
      {"two records at most", {.records_max = 2}, {{"1", "333"}, {"4444", "55555"}, {"7777777"}}},
      {"as many as there are", {.records_max = 5}, {{"1", "333", "4444", "55555", "7777777"}}},
      {"11 bytes at most, one a topic",
       {.bytes_max = 11},
       {{"1", "333", "4444"}, {"55555"}, {"7777777"}}},
      {"less than a record", {.bytes_max = 2}, {{"1"}, {"333"}, {"4444"}, {"55555"}, {"7777777"}}},
      {"nothing",
       {.records_max = 0, .bytes_max = 0},
       {{"1"}, {"333"}, {"4444"}, {"55555"}, {"7777777"}}},
      {"both limits",
       {.records_max = 2, .bytes_max = 10},
       {{"1", "333"}, {"4444"}, {"55555"}, {"7777777"}}},
  };
  Shard& shard = open();
  for (const auto* const data :
       {"1", "22", "333", "4444", "55555", "666666", "7777777", "88888888"}) {
    const bool wanted = std::string(data) != "22" && data[0] != '6' && data[0] != '8';
    shard.append({.topics = {wanted ? "a" : "b"}, .data = data}).value();
  }
  for (const Case& c : cases) {
    SCOPED_TRACE(c.about);
    Position after = shard.at(0);
    for (const auto& expected : c.pages) {
      const Page page = shard.read(after, {.topics = {"a"}}, c.limits).value();
      EXPECT_EQ(data_of(page.records), expected);
      EXPECT_GE(page.next, page.records.back()->position);
      after = page.next;
    }
    const Page rest = shard.read(after, {.topics = {"a"}}, c.limits).value();
    EXPECT_THAT(rest.records, IsEmpty());
    EXPECT_EQ(rest.next, shard.end());
  }
}

TEST_P(LogRead, counts_all_that_an_event_says) {
  Shard& shard = open();
  const std::string long_topic(100, 't');
  for (const auto* const data : {"1", "2", "3"}) {
    shard.append({.topics = {"a", long_topic}, .data = data}).value();
  }
  const auto tail = shard.log().tail(shard.at(0));
  EXPECT_THAT(data_of(shard.next(*tail, {.bytes_max = 250}).value()), ElementsAre("1", "2"));
  for (const Selection& selection : {Selection{.all = true}, Selection{.topics = {"a"}}}) {
    EXPECT_THAT(data_of(shard.read(shard.at(0), selection, {.bytes_max = 250})->records),
                ElementsAre("1", "2"));
  }
}

TEST_P(LogRead, gives_one_record_however_large_it_is) {
  Shard& shard = open();
  shard.append({.topics = {"t"}, .data = std::string(1 << 20, 'x')}).value();
  shard.append({.topics = {"t"}, .data = "y"}).value();
  for (const Selection& selection : {Selection{.all = true}, Selection{.topics = {"t"}}}) {
    const Page page = shard.read(shard.at(0), selection, {.bytes_max = 1}).value();
    ASSERT_EQ(page.records.size(), 1U);
    EXPECT_EQ(page.records[0]->event.data.size(), std::size_t{1} << 20);
    EXPECT_THAT(data_of(shard.read(page.next, selection, {.bytes_max = 1})->records),
                ElementsAre("y"));
  }
}

TEST_P(LogRead, goes_past_what_the_selection_leaves_out) {
  Shard& shard = open();
  append("busy", 500);
  const Page page = shard.read(shard.at(0), {.topics = {"quiet"}}).value();
  EXPECT_EQ(page.next, shard.end());
  shard.append({.topics = {"quiet"}, .data = "d"}).value();
  EXPECT_THAT(data_of(shard.read(page.next, {.topics = {"quiet"}})->records), ElementsAre("d"));
}

TEST_P(LogRead, returns_the_position_it_was_given_when_there_is_nothing_after_it) {
  Shard& shard = open();
  append("t", 3);
  const Page page = shard.read(shard.end(), {.topics = {"t"}}).value();
  EXPECT_THAT(page.records, IsEmpty());
  EXPECT_EQ(page.next, shard.end());
}

TEST_P(LogRead, refuses_a_position_beyond_the_end) {
  Shard& shard = open();
  append("t", 3);
  const std::uint64_t end = shard.end().offset;
  for (const std::uint64_t offset :
       {end + 1, end + 1000, std::uint64_t{1} << 63, ~std::uint64_t{0}}) {
    EXPECT_EQ(shard.read(shard.at(offset), {.all = true}).error(), Errc::kPositionGone);
    EXPECT_EQ(shard.read(shard.at(offset), {.topics = {"t"}}).error(), Errc::kPositionGone);
    EXPECT_EQ(shard.read(shard.at(offset), {.topics = {"none"}}).error(), Errc::kPositionGone);
  }
}

TEST_P(LogRead, refuses_a_position_of_another_epoch) {
  Shard& shard = open();
  append("t", 3);
  for (const std::uint64_t offset : {0U, 1U, 3U}) {
    const Position other{.epoch = shard.end().epoch + 1, .offset = offset};
    EXPECT_EQ(shard.read(other, {.all = true}).error(), Errc::kPositionGone);
    EXPECT_EQ(shard.read(other, {.topics = {"t"}}).error(), Errc::kPositionGone);
    EXPECT_EQ(shard.read(other, {.topics = {"none"}}).error(), Errc::kPositionGone);
  }
}

TEST_P(LogRead, finds_the_oldest_record_with_an_id) {
  Shard& shard = open();
  shard.append({.topics = {"t"}, .data = "no id"}).value();
  const Position first = shard.append({.topics = {"t"}, .id = "i", .data = "1"})->position;
  shard.append({.topics = {"t"}, .id = "i", .data = "2"}).value();
  const Position other = shard.append({.topics = {"t"}, .id = "j", .data = "3"})->position;
  EXPECT_EQ(shard.find("i").value(), first);
  EXPECT_EQ(shard.find("j").value(), other);
  EXPECT_EQ(shard.find("I").value(), std::nullopt);
  EXPECT_EQ(shard.find("t").value(), std::nullopt);
}

TEST_P(LogRead, visits_a_topics_own_records_alone) {
  constexpr int kRecords = 200;
  constexpr int kOthersForEach = 100;
  Shard& shard = open({.retention = {.bytes_max = 0}});
  std::vector<Event> events;
  for (int i = 0; i < kRecords; ++i) {
    events.push_back({.topics = {"wanted"}, .id = "wanted " + std::to_string(i)});
    for (int j = 0; j < kOthersForEach; ++j) {
      events.push_back({.topics = {"other " + std::to_string(j)}, .id = std::to_string(i)});
    }
  }
  shard.append_all(std::move(events));
  for (const bool reopened : {false, true}) {
    if (reopened && !persists()) {
      break;
    }
    SCOPED_TRACE(reopened ? "after a restart" : "at first");
    Shard& now = reopened ? open({.retention = {.bytes_max = 0}}) : shard;
    std::uint64_t before = records_visited();
    EXPECT_EQ(now.read_on(now.at(0), {.topics = {"wanted"}})->size(), std::size_t{kRecords});
    // One that a page has no room for is visited once more.
    EXPECT_LE(records_visited() - before, std::uint64_t{kRecords} * 21 / 20);
    before = records_visited();
    EXPECT_THAT(now.read_on(now.at(0), {.topics = {"none"}}).value(), IsEmpty());
    EXPECT_EQ(records_visited() - before, 0U);
    EXPECT_TRUE(now.find("wanted 100").value());
    EXPECT_EQ(records_visited() - before, 1U);
  }
}

}  // namespace
}  // namespace vrelo::log
