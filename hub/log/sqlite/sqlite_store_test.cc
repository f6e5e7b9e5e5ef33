// SPDX-License-Identifier: Apache-2.0
#include "hub/log/sqlite/sqlite_store.h"

#include <unistd.h>

#include <fstream>
#include <iterator>
#include <map>
#include <thread>

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "hub/base/sqlite/connection.h"
#include "hub/log/sqlite/open_errc.h"
#include "hub/log/sqlite/open_failure.h"
#include "hub/log/sqlite/sqlite_store_testing.h"

namespace vrelo::log::sqlite {
namespace {

using ::testing::ElementsAre;

class SqliteStoreTest : public ::testing::Test {
 protected:
  std::string file() const { return folder_.path() / "log.db"; }
  SqliteOptions options() const { return {.file = file()}; }
  std::unique_ptr<OpenStore> open() { return std::make_unique<OpenStore>(options(), clock_); }

  boost::system::error_code why_not() { return SqliteStore::open(options(), clock_).error(); }

  // All files in the folder but the lock, by name.
  std::map<std::string, std::string> contents() const {
    std::map<std::string, std::string> contents;
    for (const auto& entry : std::filesystem::directory_iterator(folder_.path())) {
      const std::string name = entry.path().filename();
      if (!name.ends_with(".lock") && !name.ends_with("-shm")) {
        std::ifstream in(entry.path(), std::ios::binary);
        contents[name] = std::string(std::istreambuf_iterator<char>(in), {});
      }
    }
    return contents;
  }

  void change_file(const std::string& sql) {
    base::sqlite::Connection::open(file(),
                                   {.access = base::sqlite::ConnectionOptions::Access::kWrite})
        .value()
        .execute(sql)
        .value();
  }

  TemporaryFolder folder_;
  base::ManualClock clock_;
};

TEST_F(SqliteStoreTest, keeps_events_over_a_restart) {
  const Event event{.topics = {"a", "b"},
                    .id = "i",
                    .type = "y",
                    .data = "d",
                    .retry = std::chrono::milliseconds(7),
                    .is_private = true};
  Position position;
  {
    auto first = open();
    position = first->append(event).value().position;
  }
  auto second = open();
  EXPECT_EQ(second->log().end(), position);
  const Page page = second->read(0, {.all = true}).value();
  ASSERT_EQ(page.records.size(), 1U);
  EXPECT_EQ(page.records[0]->position, position);
  EXPECT_EQ(page.records[0]->stored_at, clock_.wall());
  EXPECT_EQ(page.records[0]->event, event);
  EXPECT_EQ(second->append({.topics = {"a"}}).value().position.offset, position.offset + 1);
}

TEST_F(SqliteStoreTest, finds_topics_and_ids_over_a_restart) {
  open()->append_all({{.topics = {"a"}, .data = "1"},
                      {.topics = {"b"}, .id = "i", .data = "2"},
                      {.topics = {"c", "a"}, .data = "3"}});
  auto again = open();
  EXPECT_THAT(data_of(again->read(0, {.topics = {"a"}}).value().records), ElementsAre("1", "3"));
  EXPECT_EQ(again->wait(again->log().find("i")).value().value().offset, 2U);
  EXPECT_FALSE(again->append({.topics = {"b"}, .id = "i", .data = "2"}).value().is_new);
}

TEST_F(SqliteStoreTest, stores_one_of_many_equal_events_that_come_at_once) {
  auto store = open();
  const auto results = store->append_all(
      std::vector<Event>(1000, Event{.topics = {"t"}, .id = "same", .data = "d"}));
  for (const auto& result : results) {
    EXPECT_EQ(result.value().position.offset, 1U);
  }
  EXPECT_EQ(store->log().end().offset, 1U);
}

TEST_F(SqliteStoreTest, commits_events_that_wait_together) {
  auto store = open();
  store->append_all(std::vector<Event>(1000, Event{.topics = {"t"}}));
  EXPECT_LT(store->store().stats().commits, 500U);
}

TEST_F(SqliteStoreTest, leaves_one_file_and_its_companions_when_it_is_closed) {
  open()->append({.topics = {"t"}}).value();
  const auto files = contents();
  EXPECT_EQ(files.size(), 3U);
  EXPECT_EQ(files.count("log.db"), 1U);
  EXPECT_EQ(files.count("log.db.epoch"), 1U);
  EXPECT_EQ(files.count("log.db.end"), 1U);
}

TEST_F(SqliteStoreTest, says_that_another_has_the_log_open) {
  auto first = open();
  const auto before = contents();
  EXPECT_EQ(why_not(), OpenErrc::kInUse);
  EXPECT_EQ(contents(), before);
  // Some file systems, as those of containers, do not let it be found out who it is.
  EXPECT_THAT(open_failure(file(), OpenErrc::kInUse),
              ::testing::MatchesRegex(
                  fmt::format(".*/log\\.db: another process has this log open( \\(process {}\\))?; "
                              "end that one, or name another file",
                              ::getpid())));
  first.reset();
  EXPECT_EQ(open_failure(file(), OpenErrc::kInUse),
            file() + ": another process has this log open; end that one, or name another file");
  EXPECT_EQ(open_failure(file(), OpenErrc::kNotALog),
            file() + ": the file is not a log of vrelo's");
}

TEST_F(SqliteStoreTest, says_that_the_file_is_something_else) {
  std::ofstream(file()) << "not a database, but long enough to be one" << std::string(8192, 'x');
  const auto before = contents();
  EXPECT_EQ(why_not(), OpenErrc::kNotALog);
  EXPECT_EQ(contents(), before);
}

TEST_F(SqliteStoreTest, says_that_the_database_is_another_programs) {
  base::sqlite::Connection::open(file(),
                                 {.access = base::sqlite::ConnectionOptions::Access::kCreate})
      .value()
      .execute("CREATE TABLE t(a)")
      .value();
  const auto before = contents();
  EXPECT_EQ(why_not(), OpenErrc::kNotALog);
  EXPECT_EQ(contents(), before);
}

TEST_F(SqliteStoreTest, says_that_the_file_is_newer) {
  open()->append({.topics = {"t"}}).value();
  change_file("PRAGMA user_version=3");
  const auto before = contents();
  EXPECT_EQ(why_not(), OpenErrc::kNewer);
  EXPECT_EQ(contents(), before);
}

TEST_F(SqliteStoreTest, says_that_the_file_is_older) {
  open()->append({.topics = {"t"}}).value();
  change_file("PRAGMA user_version=1");
  const auto before = contents();
  EXPECT_EQ(why_not(), OpenErrc::kOlder);
  EXPECT_EQ(contents(), before);
}

TEST_F(SqliteStoreTest, says_that_the_file_is_newer_where_only_its_write_ahead_log_knows) {
  open()->append({.topics = {"t"}}).value();
  TemporaryFolder elsewhere;
  {
    // As a process that is killed leaves it.
    auto writer = base::sqlite::Connection::open(
                      file(), {.access = base::sqlite::ConnectionOptions::Access::kWrite})
                      .value();
    writer.execute("PRAGMA user_version=3").value();
    std::filesystem::copy_file(file(), elsewhere.path() / "log.db");
    std::filesystem::copy_file(file() + "-wal", elsewhere.path() / "log.db-wal");
  }
  std::filesystem::copy_file(elsewhere.path() / "log.db", file(),
                             std::filesystem::copy_options::overwrite_existing);
  std::filesystem::copy_file(elsewhere.path() / "log.db-wal", file() + "-wal");
  const auto before = contents();
  EXPECT_EQ(why_not(), OpenErrc::kNewer);
  EXPECT_EQ(contents(), before);
}

TEST_F(SqliteStoreTest, says_that_the_file_was_cut) {
  open()->append({.topics = {"t"}, .data = std::string(100'000, 'd')}).value();
  std::filesystem::resize_file(file(), std::filesystem::file_size(file()) / 2);
  const auto before = contents();
  EXPECT_EQ(why_not(), OpenErrc::kDamaged);
  EXPECT_EQ(contents(), before);
}

TEST_F(SqliteStoreTest, says_that_a_page_of_the_file_was_overwritten) {
  {
    auto store = open();
    store->append_all(
        std::vector<Event>(1000, Event{.topics = {"t"}, .data = std::string(100, 'd')}));
  }
  {
    std::fstream damaged(file(), std::ios::in | std::ios::out | std::ios::binary);
    damaged.seekp(16 * 4096);
    damaged << std::string(4096, 'x');
  }
  const auto before = contents();
  EXPECT_EQ(why_not(), OpenErrc::kDamaged);
  EXPECT_EQ(contents(), before);
}

TEST_F(SqliteStoreTest, says_that_a_write_ahead_log_is_alone) {
  open()->append({.topics = {"t"}}).value();
  std::ofstream(file() + "-wal", std::ios::binary) << std::string(4096, 'x');
  std::filesystem::remove(file());
  const auto before = contents();
  EXPECT_EQ(why_not(), OpenErrc::kWalAlone);
  EXPECT_EQ(contents(), before);
}

TEST_F(SqliteStoreTest, says_that_a_table_is_missing) {
  open()->append({.topics = {"t"}}).value();
  change_file("DROP TABLE blocks");
  const auto before = contents();
  EXPECT_EQ(why_not(), OpenErrc::kDamaged);
  EXPECT_EQ(contents(), before);
}

TEST_F(SqliteStoreTest, says_that_there_is_no_such_folder) {
  SqliteOptions elsewhere = options();
  elsewhere.file = folder_.path() / "none" / "log.db";
  EXPECT_EQ(SqliteStore::open(elsewhere, clock_).error(), OpenErrc::kCannotOpen);
}

TEST_F(SqliteStoreTest, gives_an_empty_file_its_first_epoch) {
  std::ofstream(file()).close();
  EXPECT_NE(open()->log().end().epoch, 0U);
}

TEST_F(SqliteStoreTest, stops_what_is_pending) {
  auto store = open();
  const std::unique_ptr<Tail> tail = store->log().tail(store->log().end());
  boost::system::error_code given;
  boost::asio::co_spawn(
      store->loop(), tail->next({}),
      [&given](const std::exception_ptr&, boost::system::result<std::vector<RecordPtr>> result) {
        given = result.error();
      });
  store->loop().poll();
  store->log().stop();
  store->loop().restart();
  store->loop().run();
  EXPECT_EQ(given, Errc::kStopped);
  EXPECT_EQ(store->append({.topics = {"t"}}).error(), Errc::kStopped);
}

TEST_F(SqliteStoreTest, shows_a_tail_what_is_stored_and_what_comes) {
  SqliteOptions small = options();
  small.recent_bytes_max = 1;  // one record stays in memory: the others come from the file
  OpenStore store(small, clock_);
  std::vector<Event> events;
  for (int i = 0; i < 100; ++i) {
    events.push_back({.topics = {"t"}, .data = fmt::to_string(i)});
  }
  store.append_all(events);
  const std::unique_ptr<Tail> tail = store.log().tail({.epoch = store.log().end().epoch});
  std::vector<std::string> seen;
  while (seen.size() < 100) {
    for (const auto& record : store.wait(tail->next({.records_max = 7})).value()) {
      seen.push_back(record->event.data);
    }
  }
  for (int i = 0; i < 100; ++i) {
    EXPECT_EQ(seen[static_cast<std::size_t>(i)], fmt::to_string(i));
  }
  boost::asio::co_spawn(
      store.loop(), tail->next({}),
      [&seen](const std::exception_ptr&, boost::system::result<std::vector<RecordPtr>> result) {
        seen = data_of(result.value());
      });
  store.append({.topics = {"t"}, .data = "live"}).value();
  EXPECT_THAT(seen, ElementsAre("live"));
}

class SqliteRetentionTest : public SqliteStoreTest {
 protected:
  std::unique_ptr<OpenStore> open(const Retention& retention, std::uint64_t topics_max = 1000) {
    SqliteOptions options = this->options();
    options.retention = retention;
    options.chunk_limits.records_max = 7;
    options.removed_topics_max = topics_max;
    return std::make_unique<OpenStore>(std::move(options), clock_);
  }

  static void append(OpenStore& store, const std::string& topic, int count) {
    for (int i = 0; i < count; ++i) {
      ASSERT_TRUE(store.append({.topics = {topic}, .data = std::to_string(i)}));
    }
  }

  static std::size_t kept(OpenStore& store) {
    return store.read(store.log().begin().offset, {.all = true}).value().records.size();
  }

  // Waits for the thread that removes.
  static void wait_for_begin(OpenStore& store, std::uint64_t begin) {
    while (store.log().begin().offset < begin) {
      std::this_thread::yield();
    }
    EXPECT_EQ(store.log().begin().offset, begin);
  }
};

TEST_F(SqliteRetentionTest, keeps_as_many_events_as_it_was_told) {
  auto store = open({.records_max = 10});
  append(*store, "a", 50);
  wait_for_begin(*store, 40);
  EXPECT_EQ(kept(*store), 10U);
  EXPECT_EQ(store->log().end().offset, 50U);
}

TEST_F(SqliteRetentionTest, keeps_as_many_bytes_as_it_was_told) {
  auto store = open({.bytes_max = 10'000});
  for (int i = 0; i < 50; ++i) {
    ASSERT_TRUE(store->append({.topics = {"a"}, .data = std::string(900, 'x')}));
  }
  wait_for_begin(*store, 40);
}

TEST_F(SqliteRetentionTest, removes_what_is_too_old) {
  auto store = open({.age_max = std::chrono::hours(1)});
  append(*store, "a", 5);
  clock_.advance(std::chrono::minutes(50));
  append(*store, "b", 5);
  clock_.advance(std::chrono::minutes(20));
  append(*store, "c", 1);
  wait_for_begin(*store, 5);
}

TEST_F(SqliteRetentionTest, removes_at_once_when_a_limit_is_lowered) {
  auto store = open({});
  store->append_all(std::vector<Event>(1500, Event{.topics = {"a"}}));
  store->store().set_retention({.records_max = 10});
  wait_for_begin(*store, 1490);
}

TEST_F(SqliteRetentionTest, keeps_its_end_when_it_was_emptied) {
  Position end;
  {
    auto store = open({.age_max = std::chrono::hours(1)});
    append(*store, "a", 5);
    clock_.advance(std::chrono::hours(2));
    store->store().set_retention({.age_max = std::chrono::hours(1)});
    wait_for_begin(*store, 5);
    end = store->log().end();
  }
  auto store = open({.age_max = std::chrono::hours(1)});
  EXPECT_EQ(store->log().end(), end);
  EXPECT_EQ(store->log().begin(), end);
  EXPECT_EQ(store->append({.topics = {"a"}}).value().position.offset, end.offset + 1);
}

TEST_F(SqliteRetentionTest, knows_which_topics_lost_nothing_also_after_a_restart) {
  for (const bool restarted : {false, true}) {
    auto store = open({.records_max = 10});
    if (!restarted) {
      append(*store, "quiet", 1);
      append(*store, "busy", 50);
      wait_for_begin(*store, 41);
    }
    EXPECT_EQ(store->read(20, {.topics = {"busy"}}).error(), Errc::kPositionGone);
    EXPECT_EQ(store->read(20, {.all = true}).error(), Errc::kPositionGone);
    EXPECT_EQ(store->read(0, {.topics = {"quiet"}}).error(), Errc::kPositionGone);
    EXPECT_TRUE(store->read(1, {.topics = {"quiet"}}).has_value());
    EXPECT_TRUE(store->read(0, {.topics = {"never heard of"}}).has_value());
  }
}

TEST_F(SqliteRetentionTest, takes_for_removed_what_it_no_longer_knows) {
  auto store = open({.records_max = 10}, 16);
  for (int i = 0; i < 40; ++i) {
    append(*store, std::to_string(i), 1);
  }
  wait_for_begin(*store, 30);
  EXPECT_EQ(store->read(1, {.topics = {"0"}}).error(), Errc::kPositionGone);
  EXPECT_TRUE(store->read(29, {.topics = {"0"}}).has_value());
}

TEST_F(SqliteRetentionTest, stores_an_event_again_whose_record_was_removed) {
  auto store = open({.records_max = 10});
  const Event event{.topics = {"a"}, .id = "i", .data = "d"};
  const Position first = store->append(event).value().position;
  EXPECT_EQ(store->append(event).value().position, first);
  append(*store, "a", 20);
  wait_for_begin(*store, 11);
  EXPECT_TRUE(store->append(event).value().is_new);
}

}  // namespace
}  // namespace vrelo::log::sqlite
