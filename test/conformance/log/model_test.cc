// SPDX-License-Identifier: Apache-2.0
//
// Thousands of random steps, after each of which a log and a plain vector must tell the same. To
// look for more: --gtest_filter=*LogModel* --gtest_shuffle --gtest_random_seed=1 --gtest_repeat=100
// takes another seed in each round.
#include <iterator>
#include <random>

#include "hub/base/topic_patterns.h"
#include "test/conformance/log/log_model.h"
#include "test/conformance/log/log_testing.h"

namespace vrelo::log {
namespace {

class LogModelTest : public LogTest {
 protected:
  void run(int steps, const OpenOptions& options);

 private:
  std::uint64_t below(std::uint64_t n) { return random_() % n; }
  bool one_in(std::uint64_t n) { return below(n) == 0; }

  Event random_event();
  Selection random_selection();
  ReadLimits random_limits();
  Position random_position();

  void take_step();
  void append_one();
  void append_some();
  void read();
  void find();
  void follow();
  void change_limits();
  void pass_time();
  void restart();

  void catch_up();
  void check_page(const Page& page, Position after, const Selection& selection, ReadLimits limits);
  static void check_records(const std::vector<RecordPtr>& records,
                            const std::vector<Record>& expected,
                            ReadLimits limits);

  std::mt19937_64 random_;
  base::TopicPatterns patterns_{base::UrlBase::make("https://hub.example.com/.well-known/mercure")};
  OpenOptions options_;
  bool knows_all_topics_ = true;  // that retention has removed records of
  std::optional<LogModel> model_;
  std::unique_ptr<Tail> tail_;
  Position followed_;  // what the tail has shown
};
INSTANTIATE_TEST_SUITE_P(EachLog, LogModelTest, each_variant(), name_of);

void LogModelTest::run(int steps, const OpenOptions& options) {
  // 0, unless it was started with --gtest_shuffle and --gtest_random_seed=N.
  const int seed = ::testing::UnitTest::GetInstance()->random_seed();
  SCOPED_TRACE(testing::Message() << "seed " << seed);
  random_.seed(static_cast<std::uint64_t>(seed));
  options_ = options;
  knows_all_topics_ = options.removed_topics_max >= 1000;
  open(options_);
  model_.emplace(shard().end().epoch);
  followed_ = model_->end();
  tail_ = shard().log().tail(followed_);
  for (int step = 0; step < steps && !HasFailure(); ++step) {
    SCOPED_TRACE(testing::Message() << "step " << step);
    take_step();
  }
  tail_ = nullptr;
  close();
}

void LogModelTest::take_step() {
  const std::uint64_t which = below(100);
  if (which < 25) {
    append_one();
  } else if (which < 35) {
    append_some();
  } else if (which < 65) {
    read();
  } else if (which < 75) {
    find();
  } else if (which < 90) {
    follow();
  } else if (which < 94) {
    change_limits();
  } else if (which < 98) {
    pass_time();
  } else if (one_in(2)) {
    restart();
  }
  catch_up();
}

Event LogModelTest::random_event() {
  Event event;
  for (std::uint64_t i = 0, count = one_in(4) ? 3 : 1; i < count; ++i) {
    // Few topics that are busy, and many that are quiet.
    event.topics.push_back("topic " + std::to_string(one_in(4) ? below(200) : below(5)));
  }
  event.id = one_in(2) ? "" : "id " + std::to_string(below(20));
  event.type = one_in(8) ? "type" : "";
  event.data = one_in(2) ? "" : std::string(below(one_in(10) ? 2000 : 30), 'd');
  if (one_in(8)) {
    event.retry = std::chrono::milliseconds(below(3));
  }
  event.is_private = one_in(8);
  return event;
}

Selection LogModelTest::random_selection() {
  Selection selection{.all = one_in(4)};
  for (std::uint64_t i = 0, count = selection.all ? 0 : below(4); i < count; ++i) {
    selection.topics.push_back("topic " + std::to_string(one_in(2) ? below(220) : below(5)));
  }
  if (!selection.all && one_in(4)) {
    // As topics are read: references from the hub's folder, with the space encoded.
    const char* const texts[] = {"topic%20:n", "topic%20(1+)", "topic%201*", "/.well-known/*2"};
    selection.patterns.push_back(patterns_.url_pattern(texts[below(std::size(texts))]));
  }
  return selection;
}

ReadLimits LogModelTest::random_limits() {
  return {.records_max = one_in(3) ? below(10) : 1000,
          .bytes_max = one_in(3) ? below(2000) : std::size_t{1} << 18};
}

// Most often one that readers may have, near the begin or the end.
Position LogModelTest::random_position() {
  const std::uint64_t begin = model_->begin().offset;
  const std::uint64_t end = model_->end().offset;
  std::uint64_t offset = below(end + 3);
  if (one_in(2)) {
    offset = begin + below(end - begin + 1);
  } else if (one_in(2)) {
    offset = begin - std::min(begin, below(10));
  }
  return {.epoch = model_->end().epoch + (one_in(50) ? 1 : 0), .offset = offset};
}

void LogModelTest::append_one() {
  const Event event = random_event();
  const Appended expected = model_->append(event, clock().steady(), clock().wall());
  const auto appended = shard().append(event);
  ASSERT_TRUE(appended);
  EXPECT_EQ(appended->position, expected.position);
  EXPECT_EQ(appended->is_new, expected.is_new);
}

void LogModelTest::append_some() {
  std::vector<Event> events;
  std::vector<Position> expected;
  for (std::uint64_t i = 0, count = below(20); i < count; ++i) {
    events.push_back(random_event());
    // With one, it would matter when exactly retention removes the record that has it.
    events.back().id.clear();
    expected.push_back(model_->append(events.back(), clock().steady(), clock().wall()).position);
  }
  const auto results = shard().append_all(events);
  for (std::size_t i = 0; i < results.size(); ++i) {
    ASSERT_TRUE(results[i]);
    EXPECT_EQ(results[i]->position, expected[i]);
  }
}

void LogModelTest::read() {
  const Position after = random_position();
  const Selection selection = random_selection();
  const ReadLimits limits = random_limits();
  const auto page = shard().read(after, selection, limits);
  if (page) {
    check_page(*page, after, selection, limits);
    return;
  }
  ASSERT_EQ(page.error(), Errc::kPositionGone);
  if (after.epoch == model_->end().epoch && after.offset <= model_->end().offset) {
    EXPECT_LT(after.offset, model_->begin().offset);
    EXPECT_TRUE(!knows_all_topics_ || model_->has_lost(after, selection));
  }
}

void LogModelTest::check_page(const Page& page,
                              Position after,
                              const Selection& selection,
                              ReadLimits limits) {
  ASSERT_EQ(after.epoch, model_->end().epoch);
  ASSERT_LE(after.offset, model_->end().offset);
  EXPECT_FALSE(model_->has_lost(after, selection));
  const std::vector<Record> expected = model_->read(after, selection);
  ASSERT_NO_FATAL_FAILURE(check_records(page.records, expected, limits));
  EXPECT_GE(page.next, page.records.empty() ? after : page.records.back()->position);
  EXPECT_LE(page.next, model_->end());
  if (page.records.size() < expected.size()) {
    EXPECT_LT(page.next, expected[page.records.size()].position);
  }
  if (expected.empty()) {
    EXPECT_EQ(page.next, model_->end());
  }
}

// Checks that `records` are the first of those that are expected, and as many as the limits allow.
void LogModelTest::check_records(const std::vector<RecordPtr>& records,
                                 const std::vector<Record>& expected,
                                 ReadLimits limits) {
  ASSERT_LE(records.size(), expected.size());
  std::size_t bytes = 0;
  for (std::size_t i = 0; i < records.size(); ++i) {
    EXPECT_EQ(records[i]->position, expected[i].position);
    EXPECT_EQ(records[i]->stored_at, expected[i].stored_at);
    EXPECT_EQ(records[i]->event, expected[i].event);
    bytes += text_bytes(expected[i].event);
  }
  EXPECT_EQ(records.empty(), expected.empty());
  if (records.size() > 1) {
    EXPECT_LE(records.size(), limits.records_max);
    EXPECT_LE(bytes, limits.bytes_max);
  }
}

void LogModelTest::find() {
  const std::string id = "id " + std::to_string(below(25));
  EXPECT_EQ(shard().find(id).value(), model_->find(id));
}

void LogModelTest::follow() {
  if (one_in(10)) {
    followed_ = random_position();
    tail_ = shard().log().tail(followed_);
  }
  const bool is_gone = followed_.epoch != model_->end().epoch || followed_ > model_->end() ||
                       followed_ < model_->begin();
  if (!is_gone && followed_ == model_->end()) {
    return;  // it would wait
  }
  const ReadLimits limits = random_limits();
  const auto records = shard().next(*tail_, limits);
  if (is_gone) {
    EXPECT_EQ(records.error(), Errc::kPositionGone);
    followed_ = model_->end();
    tail_ = shard().log().tail(followed_);
    return;
  }
  ASSERT_TRUE(records);
  check_records(*records, model_->read(followed_, {.all = true}), limits);
  followed_ = records->back()->position;
}

void LogModelTest::change_limits() {
  options_.retention = {.bytes_max = 0,
                        .records_max = one_in(3) ? 0 : 1 + below(100),
                        .age_max = std::chrono::hours(below(3))};
  set_retention(options_.retention);
}

void LogModelTest::pass_time() {
  clock().advance(std::chrono::minutes(below(50)) + std::chrono::milliseconds(1));
}

void LogModelTest::restart() {
  tail_ = nullptr;
  open(options_);
  // Before, an implementation may not believe the time of day, by which alone it knows how old the
  // records are: see Retention.
  clock().advance(std::chrono::minutes(1));
  if (!persists()) {
    EXPECT_NE(shard().end().epoch, model_->end().epoch);
    model_.emplace(shard().end().epoch);
    followed_ = model_->end();
  }
  tail_ = shard().log().tail(followed_);
}

// Lets the log remove what the model removes.
void LogModelTest::catch_up() {
  model_->remove(options_.retention, clock().steady());
  ASSERT_NO_FATAL_FAILURE(wait_for_begin(model_->begin().offset));
  EXPECT_EQ(shard().begin(), model_->begin());
  EXPECT_EQ(shard().end(), model_->end());
}

TEST_P(LogModelTest, tells_what_a_plain_vector_tells) {
  run(3000, {.retention = {.bytes_max = 0, .records_max = 50}});
}

TEST_P(LogModelTest, hides_no_gap_where_it_has_forgotten_topics) {
  run(1500, {.retention = {.bytes_max = 0, .records_max = 20}, .removed_topics_max = 16});
}

}  // namespace
}  // namespace vrelo::log
