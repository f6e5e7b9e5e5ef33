// SPDX-License-Identifier: Apache-2.0
//
// The index in the file, as readers and publishers of a store see it.
#include <algorithm>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "hub/base/sqlite/connection.h"
#include "hub/log/sqlite/open_errc.h"
#include "hub/log/sqlite/sqlite_store_testing.h"

namespace vrelo::log::sqlite {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class SqliteIndexTest : public ::testing::Test {
 protected:
  std::string file() const { return folder_.path() / "log.db"; }

  void open(const Retention& retention = {}, std::uint64_t chunk_records = 10) {
    store_.reset();
    SqliteOptions options{.file = file(), .retention = retention};
    options.report = [this](std::string_view line) {
      const std::lock_guard lock(reports_mutex_);
      reports_.emplace_back(line);
    };
    options.chunk_limits.records_max = chunk_records;
    options.recent_bytes_max = 1;
    store_ = std::make_unique<OpenStore>(std::move(options), clock_);
  }

  // No error: the file opens.
  boost::system::error_code why_not() {
    const auto opened = SqliteStore::open({.file = file()}, clock_);
    return opened ? boost::system::error_code() : opened.error();
  }

  // What a query gives.
  std::int64_t ask(const std::string& sql) {
    return base::sqlite::Connection::open(file(), {}).value().integer(sql).value();
  }

  // Waits for the thread that writes, which goes on while nobody publishes.
  void wait_until(const std::string& sql) {
    auto connection = base::sqlite::Connection::open(file(), {}).value();
    while (connection.integer(sql).value() == 0) {
      std::this_thread::yield();
    }
  }

  void wait_for_begin(std::uint64_t begin) {
    while (store_->log().begin().offset < begin) {
      std::this_thread::yield();
    }
    ASSERT_EQ(store_->log().begin().offset, begin);
  }

  // Closes the store and changes its file.
  void change(const std::string& sql) {
    store_.reset();
    base::sqlite::Connection::open(file(),
                                   {.access = base::sqlite::ConnectionOptions::Access::kWrite})
        .value()
        .execute(sql)
        .value();
  }

  void append(std::uint64_t count, const std::string& topic) {
    std::vector<Event> events;
    for (std::uint64_t i = 0; i < count; ++i) {
      events.push_back({.topics = {topic}, .data = fmt::to_string(i)});
    }
    store_->append_all(std::move(events));
  }

  std::vector<std::string> reports() const {
    const std::lock_guard lock(reports_mutex_);
    return reports_;
  }

  TemporaryFolder folder_;
  base::ManualClock clock_;
  mutable std::mutex reports_mutex_;
  std::vector<std::string> reports_;
  std::unique_ptr<OpenStore> store_;
};

TEST_F(SqliteIndexTest, visits_no_other_rows_than_those_of_the_topic) {
  open({}, 100);
  for (int round = 0; round < 20; ++round) {
    append(99, "busy");
    append(1, "quiet");
  }
  wait_until("SELECT indexed_to >= 1900 FROM state");
  const std::uint64_t before = store_->store().stats().rows_visited;
  EXPECT_EQ(store_->read(0, {.topics = {"quiet"}}).value().records.size(), 20U);
  EXPECT_EQ(store_->store().stats().rows_visited, before + 20);
}

TEST_F(SqliteIndexTest, visits_each_row_once_over_many_pages) {
  open();
  append(200, "t");
  wait_until("SELECT indexed_to >= 100 FROM state");
  const std::uint64_t before = store_->store().stats().rows_visited;
  std::uint64_t after = 0;
  while (after < 200) {
    after = store_->read(after, {.topics = {"t"}}, {.records_max = 7}).value().next.offset;
  }
  EXPECT_EQ(store_->store().stats().rows_visited, before + 200);
}

TEST_F(SqliteIndexTest, reads_at_start_no_record_that_is_indexed) {
  open({}, 100);
  append(500, "t");
  wait_until("SELECT indexed_to >= 400 FROM state");
  // A record that cannot be read tells when it is.
  change("UPDATE records SET event = x'ff' WHERE offset = 300");
  open({}, 100);
  const Selection own{.topics = {"t"}};
  EXPECT_EQ(store_->read(0, own, {.records_max = 299}).value().records.size(), 299U);
  EXPECT_EQ(store_->read(300, own).value().records.size(), 200U);
  EXPECT_EQ(store_->read(299, own).error(), Errc::kUnavailable);
}

TEST_F(SqliteIndexTest, does_not_look_at_each_event_that_has_the_id) {
  open({}, 100);
  std::vector<Event> events;
  for (int i = 0; i < 300; ++i) {
    events.push_back({.topics = {"t"}, .id = "same", .data = fmt::to_string(i)});
  }
  store_->append_all(events);
  wait_until("SELECT indexed_to >= 200 FROM state");
  const auto again = store_->append_all(events);
  for (std::size_t i = 0; i < events.size(); ++i) {
    EXPECT_FALSE(again[i].value().is_new);
    EXPECT_EQ(again[i].value().position.offset, i + 1);
  }
  const std::uint64_t before = store_->store().stats().rows_visited;
  EXPECT_EQ(store_->wait(store_->log().find("same")).value().value().offset, 1U);
  EXPECT_EQ(store_->store().stats().rows_visited, before + 1);
}

TEST_F(SqliteIndexTest, erases_rows_and_runs_of_what_was_removed) {
  open({.records_max = 20});
  for (int i = 0; i < 40; ++i) {
    append(10, fmt::format("topic {}", i % 7));
  }
  wait_for_begin(380);
  wait_until("SELECT count(*) <= 30 FROM records");  // the last chunk is not written yet
  wait_until("SELECT count(*) <= 6 FROM runs");
  wait_until("SELECT count(*) <= 30 FROM blocks");
  EXPECT_EQ(ask("SELECT topics FROM removed"), 7);
}

TEST_F(SqliteIndexTest, gives_no_false_gap_to_readers_of_quiet_topics_over_a_turnover) {
  constexpr int kReaders = 1000;
  open({.records_max = 2000}, 100);
  std::vector<Event> events;
  for (int i = 0; i < kReaders; ++i) {
    events.push_back({.topics = {fmt::format("quiet {}", i)}});
  }
  store_->append_all(std::move(events));
  append(3000, "busy");
  wait_for_begin(2000);
  for (const bool restarted : {false, true}) {
    if (restarted) {
      open({.records_max = 2000}, 100);
    }
    for (int i = 0; i < kReaders; ++i) {
      const auto position = static_cast<std::uint64_t>(i) + 1;
      const Selection own{.topics = {fmt::format("quiet {}", i)}};
      ASSERT_TRUE(store_->read(position, own).has_value()) << i;
      ASSERT_EQ(store_->read(position - 1, own).error(), Errc::kPositionGone) << i;
    }
  }
}

// What is wrong with an index must not be taken for records that are not there.
class SqliteDamagedIndexTest : public SqliteIndexTest {
 protected:
  void SetUp() override {
    open({}, 100);
    append(500, "t");
    wait_until("SELECT indexed_to >= 400 FROM state");
  }
};

TEST_F(SqliteDamagedIndexTest, does_not_open_without_one_of_its_runs) {
  change("DELETE FROM runs WHERE last = 200");
  EXPECT_EQ(why_not(), OpenErrc::kDamaged);
}

TEST_F(SqliteDamagedIndexTest, does_not_open_with_a_run_that_was_changed) {
  for (const std::string_view column : {"topic_fences", "content_filter"}) {
    SCOPED_TRACE(column);
    // Another last byte, with which it still makes sense by itself.
    const auto set_last_byte = [&](std::string_view byte) {
      change(fmt::format(
          "UPDATE runs SET {0} = CAST(substr({0}, 1, length({0}) - 1) || x'{1}' AS BLOB)"
          " WHERE last = 200",
          column, byte));
    };
    set_last_byte("7f");
    EXPECT_EQ(why_not(), OpenErrc::kDamaged);
    set_last_byte("00");
    EXPECT_FALSE(why_not());
  }
}

TEST_F(SqliteDamagedIndexTest, reads_nothing_by_a_block_that_was_changed) {
  // As if all in it were another topic's.
  change(
      "UPDATE blocks SET entries = CAST(x'ffffffffffffffff' || substr(entries, 9) AS BLOB)"
      " WHERE number = (SELECT block_first FROM runs WHERE last = 200)");
  open({}, 100);
  const Selection own{.topics = {"t"}};
  EXPECT_EQ(store_->read(0, own, {.records_max = 100}).value().records.size(), 100U);
  EXPECT_EQ(store_->read(100, own).error(), Errc::kUnavailable);
  EXPECT_EQ(store_->read(200, own).value().records.size(), 300U);
  EXPECT_THAT(reports(), ElementsAre(HasSubstr("malformed")));
}

TEST_F(SqliteDamagedIndexTest, reads_nothing_by_a_block_that_is_missing) {
  change("DELETE FROM blocks WHERE number = (SELECT block_first FROM runs WHERE last = 200)");
  open({}, 100);
  EXPECT_EQ(store_->read(100, {.topics = {"t"}}).error(), Errc::kUnavailable);
  EXPECT_EQ(store_->read(200, {.topics = {"t"}}).value().records.size(), 300U);
}

// A log as its contract has it, without an index.
class Model {
 public:
  void append(std::uint64_t offset, const Event& event) { kept_[offset] = event; }

  std::optional<std::uint64_t> equal(const Event& event) const {
    for (const auto& [offset, kept] : kept_) {
      if (offset > begin_ && !event.id.empty() && kept == event) {
        return offset;
      }
    }
    return std::nullopt;
  }

  std::optional<std::uint64_t> find(const std::string& id) const {
    for (const auto& [offset, kept] : kept_) {
      if (offset > begin_ && kept.id == id) {
        return offset;
      }
    }
    return std::nullopt;
  }

  // nullopt: gone.
  std::optional<std::vector<std::uint64_t>> read(std::uint64_t after,
                                                 const std::set<std::string>& topics) const {
    std::vector<std::uint64_t> offsets;
    for (const auto& [offset, event] : kept_) {
      const bool wanted = std::any_of(event.topics.begin(), event.topics.end(),
                                      [&](const auto& topic) { return topics.contains(topic); });
      if (offset > after && wanted) {
        if (offset <= begin_) {
          return std::nullopt;
        }
        offsets.push_back(offset);
      }
    }
    return offsets;
  }

  void remove(std::uint64_t to) { begin_ = std::max(begin_, to); }

 private:
  std::map<std::uint64_t, Event> kept_;  // also what was removed
  std::uint64_t begin_ = 0;
};

class SqliteIndexModelTest : public SqliteIndexTest {
 protected:
  std::size_t below(std::size_t n) {
    return std::uniform_int_distribution<std::size_t>(0, n - 1)(random_);
  }

  Event draw_event() {
    Event event{.topics = {fmt::format("t{}", below(12))}, .data = fmt::to_string(below(3))};
    if (below(4) == 0) {
      event.topics.push_back(fmt::format("once {}", ++once_));
    }
    if (below(3) == 0) {
      event.id = fmt::format("id {}", below(5));
    }
    return event;
  }

  void append() {
    std::vector<Event> events(1 + below(30));
    std::generate(events.begin(), events.end(), [this] { return draw_event(); });
    const auto results = store_->append_all(events);
    for (std::size_t i = 0; i < events.size(); ++i) {
      const Appended appended = results[i].value();
      const auto equal = model_.equal(events[i]);
      ASSERT_EQ(appended.is_new, !equal.has_value());
      if (equal) {
        ASSERT_EQ(appended.position.offset, *equal);
      } else {
        ASSERT_EQ(appended.position.offset, ++end_);
        model_.append(end_, events[i]);
      }
    }
  }

  void read() {
    std::set<std::string> topics;
    for (std::size_t i = below(3) + 1; i > 0; --i) {
      topics.insert(below(5) == 0 ? fmt::format("once {}", below(once_ + 1))
                                  : fmt::format("t{}", below(12)));
    }
    const std::uint64_t after = below(end_ + 1);
    const ReadLimits limits{.records_max = 1 + below(20)};
    const auto page = store_->read(after, {.topics = {topics.begin(), topics.end()}}, limits);
    auto expected = model_.read(after, topics);
    ASSERT_EQ(page.has_value(), expected.has_value()) << "after " << after;
    if (!expected) {
      ASSERT_EQ(page.error(), Errc::kPositionGone);
      return;
    }
    const std::uint64_t first_left =
        expected->size() > limits.records_max ? (*expected)[limits.records_max] : end_ + 1;
    expected->resize(std::min(expected->size(), limits.records_max));
    std::vector<std::uint64_t> offsets;
    for (const RecordPtr& record : page->records) {
      offsets.push_back(record->position.offset);
    }
    ASSERT_EQ(offsets, *expected) << "after " << after;
    ASSERT_GE(page->next.offset, expected->empty() ? after : expected->back());
    ASSERT_LT(page->next.offset, first_left);
  }

  void find() {
    const std::string id = fmt::format("id {}", below(6));
    const auto found = store_->wait(store_->log().find(id)).value();
    const auto expected = model_.find(id);
    ASSERT_EQ(found.has_value(), expected.has_value());
    if (expected) {
      ASSERT_EQ(found->offset, *expected);
    }
  }

  // Removes, and goes on while the index follows.
  void remove() {
    kept_ = 20 + below(150);
    store_->store().set_retention({.records_max = kept_});
    const std::uint64_t begin =
        std::max(store_->log().begin().offset, end_ - std::min(end_, kept_));
    ASSERT_NO_FATAL_FAILURE(wait_for_begin(begin));
    store_->store().set_retention({});
    model_.remove(begin);
  }

  std::mt19937 random_{20'261'126};
  Model model_;
  std::uint64_t end_ = 0;
  std::uint64_t kept_ = 0;
  std::size_t once_ = 0;
};

TEST_F(SqliteIndexModelTest, answers_as_a_log_without_an_index_does) {
  open();
  for (int i = 0; i < 1500 && !HasFatalFailure(); ++i) {
    SCOPED_TRACE(i);
    switch (below(12)) {
      case 0:
      case 1:
        append();
        break;
      case 2:
        if (below(4) == 0) {
          remove();
        }
        break;
      case 3:
        if (below(10) == 0) {
          open();
        }
        break;
      case 4:
        find();
        break;
      default:
        read();
    }
  }
  EXPECT_GT(end_, 2000U);
}

}  // namespace
}  // namespace vrelo::log::sqlite
