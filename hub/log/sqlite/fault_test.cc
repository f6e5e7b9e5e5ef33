// SPDX-License-Identifier: Apache-2.0
//
// What the store does when the disk fails: what it acknowledged stays, what it did not may be there
// or not, and it works again as soon as the disk does.
#include <chrono>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <boost/asio/co_spawn.hpp>

#include "hub/base/sqlite/connection.h"
#include "hub/base/sqlite/faulty_vfs_testing.h"
#include "hub/log/sqlite/sqlite_store_testing.h"

namespace vrelo::log::sqlite {
namespace {

using ::testing::AnyOf;
using ::testing::Contains;
using ::testing::ElementsAre;

using base::sqlite::FaultyVfs;
using Call = FaultyVfs::Call;

bool is_wal(std::string_view file) {
  return file.ends_with("-wal");
}

bool is_wal_write(Call call, std::string_view file) {
  return call == Call::kWrite && is_wal(file);
}

bool is_wal_sync(Call call, std::string_view file) {
  return call == Call::kSync && is_wal(file);
}

bool is_checkpoint(Call call, std::string_view file) {
  return (call == Call::kWrite || call == Call::kSync) && file.ends_with(".db");
}

bool is_change(Call call, std::string_view /*file*/) {
  return call == Call::kWrite || call == Call::kSync || call == Call::kTruncate;
}

bool is_any(Call /*call*/, std::string_view /*file*/) {
  return true;
}

std::vector<Event> numbered(int first, int count) {
  std::vector<Event> events;
  for (int i = first; i < first + count; ++i) {
    events.push_back({.topics = {i % 3 == 0 ? "third" : "other"},
                      .id = fmt::format("id {}", i),
                      .data = fmt::to_string(i)});
  }
  return events;
}

class SqliteFaultTest : public ::testing::Test {
 protected:
  std::string file() const { return folder_.path() / "log.db"; }
  SqliteOptions options() const { return {.file = file(), .vfs = disk_.name()}; }

  OpenStore& open() { return open(options()); }
  OpenStore& open(const SqliteOptions& options) {
    store_ = nullptr;
    store_ = std::make_unique<OpenStore>(options, clock_);
    return *store_;
  }
  OpenStore& store() { return *store_; }
  std::uint64_t reopened() { return store().store().stats().reopened; }

  std::unique_ptr<Tail> tail(std::uint64_t after) {
    return store().log().tail({.epoch = store().log().end().epoch, .offset = after});
  }

  // Appends, over and over, until it works: the store tries to open its file again only now and
  // then.
  Appended append_at_last(const Event& event) {
    while (true) {
      if (const auto appended = store().append(event)) {
        return *appended;
      }
      clock_.advance(std::chrono::seconds(1));
    }
  }

  // The data of all that is kept, by offset.
  std::map<std::uint64_t, std::string> kept() {
    std::map<std::uint64_t, std::string> kept;
    std::uint64_t after = store().log().begin().offset;
    while (true) {
      const Page page = store().read(after, {.all = true}).value();
      if (page.records.empty()) {
        EXPECT_EQ(after, store().log().end().offset);
        return kept;
      }
      for (const RecordPtr& record : page.records) {
        EXPECT_EQ(record->position.offset, ++after);
        kept.emplace(after, record->event.data);
      }
    }
  }

  // What the tail shows up to the end.
  std::vector<std::string> follow(Tail& tail, std::uint64_t after) {
    std::vector<std::string> data;
    while (after + data.size() < store().log().end().offset) {
      for (const std::string& one : data_of(store().wait(tail.next({})).value())) {
        data.push_back(one);
      }
    }
    return data;
  }

  FaultyVfs disk_;
  TemporaryFolder folder_;
  base::ManualClock clock_;
  std::unique_ptr<OpenStore> store_;
};

class SqliteSyncFaultTest : public SqliteFaultTest, public ::testing::WithParamInterface<bool> {};
INSTANTIATE_TEST_SUITE_P(AndTheSystem,
                         SqliteSyncFaultTest,
                         ::testing::Bool(),
                         [](const auto& drops) { return drops.param ? "drops" : "keeps"; });

TEST_P(SqliteSyncFaultTest, acknowledges_nothing_of_a_transaction_whose_sync_failed) {
  open().append({.topics = {"t"}, .data = "before"}).value();
  auto tail = this->tail(1);

  disk_.fail({.matches = is_wal_sync, .drops_unsynced = GetParam()});
  const std::vector<Event> events = numbered(0, 10);
  for (const auto& result : store().append_all(events)) {
    EXPECT_EQ(result.error(), Errc::kUnavailable);
  }
  EXPECT_GE(disk_.failed(), 1U);
  disk_.heal();

  // The publishers ask again. Whether the first attempt was stored is for the file to say.
  append_at_last(events[0]);
  EXPECT_GE(reopened(), 1U);
  for (const auto& result : store().append_all(events)) {
    EXPECT_TRUE(result);
  }
  std::vector<std::string> seen = follow(*tail, 1);
  EXPECT_THAT(seen, ElementsAre("0", "1", "2", "3", "4", "5", "6", "7", "8", "9"));
  const auto before = kept();
  EXPECT_EQ(before.size(), 11U);
  tail.reset();
  open();
  EXPECT_EQ(kept(), before);
}

TEST_P(SqliteSyncFaultTest, shows_a_tail_that_waits_what_the_file_holds_then) {
  open();
  const auto tail = this->tail(0);
  std::vector<std::string> seen;
  boost::asio::co_spawn(
      store().loop(), tail->next({}),
      [&seen](const std::exception_ptr&, boost::system::result<std::vector<RecordPtr>> result) {
        seen = data_of(result.value());
      });
  disk_.fail({.matches = is_wal_sync, .failing = 1, .drops_unsynced = GetParam()});
  const Event event{.topics = {"t"}, .id = "i", .data = "d"};
  EXPECT_EQ(store().append(event).error(), Errc::kUnavailable);
  append_at_last(event);
  store().append({.topics = {"t"}, .data = "next"}).value();
  std::vector<std::string> rest = follow(*tail, seen.size());
  seen.insert(seen.end(), rest.begin(), rest.end());
  EXPECT_THAT(seen, ElementsAre("d", "next"));
}

TEST_F(SqliteFaultTest, is_full_when_the_disk_is_and_works_when_there_is_room) {
  open().append({.topics = {"t"}, .data = "before"}).value();
  const auto tail = this->tail(1);
  disk_.fail({.matches = is_wal_write, .result_code = SQLITE_FULL});
  for (int i = 0; i < 3; ++i) {
    for (const auto& result : store().append_all(numbered(0, 5))) {
      EXPECT_EQ(result.error(), Errc::kFull);
    }
  }
  EXPECT_EQ(store().log().end().offset, 1U);
  EXPECT_THAT(data_of(store().read(0, {.topics = {"t"}}).value().records), ElementsAre("before"));
  EXPECT_EQ(store().wait(store().log().find("id 0")).value(), std::nullopt);
  disk_.heal();
  for (const auto& result : store().append_all(numbered(0, 5))) {
    EXPECT_TRUE(result->is_new);
  }
  EXPECT_THAT(follow(*tail, 1), ElementsAre("0", "1", "2", "3", "4"));
  EXPECT_EQ(reopened(), 0U);
}

TEST_F(SqliteFaultTest, is_full_for_the_events_that_come_at_once_and_for_no_other) {
  open();
  // The room ends within a batch.
  disk_.fail({.matches = is_wal_write, .result_code = SQLITE_FULL, .skipped = 10, .failing = 1});
  std::vector<Event> events = numbered(0, 50);
  for (Event& event : events) {
    event.data.append(4000, ' ');
  }
  const auto results = store().append_all(events);
  EXPECT_EQ(disk_.failed(), 1U);
  std::size_t acknowledged = 0;
  for (const auto& result : results) {
    EXPECT_TRUE(result || result.error() == Errc::kFull);
    acknowledged += result ? 1U : 0U;
  }
  EXPECT_LT(acknowledged, events.size());
  EXPECT_EQ(kept().size(), acknowledged);
}

TEST_F(SqliteFaultTest, does_not_answer_while_the_disk_does_not) {
  open();
  const Event event{.topics = {"t"}, .id = "i", .data = "d"};
  const Position end = store().log().end();
  disk_.fail({.matches = is_any});
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(store().append(event).error(), Errc::kUnavailable);
    EXPECT_EQ(store().read(0, {.all = true}).error(), Errc::kUnavailable);
    EXPECT_EQ(store().read(0, {.topics = {"t"}}).error(), Errc::kUnavailable);
    clock_.advance(std::chrono::seconds(1));
  }
  EXPECT_EQ(store().log().end(), end);
  disk_.heal();
  append_at_last(event);
  EXPECT_THAT(data_of(store().read(0, {.topics = {"t"}}).value().records), ElementsAre("d"));
  EXPECT_EQ(store().wait(store().log().find("i")).value()->offset, 1U);
}

TEST_F(SqliteFaultTest, reads_go_on_while_nothing_can_be_written) {
  open().append_all(numbered(0, 10));
  disk_.fail({.matches = is_change});
  EXPECT_EQ(store().append({.topics = {"t"}}).error(), Errc::kUnavailable);
  EXPECT_EQ(store().read(0, {.all = true}).value().records.size(), 10U);
  EXPECT_EQ(store().read(0, {.topics = {"third"}}).value().records.size(), 4U);
  EXPECT_EQ(store().wait(store().log().find("id 3")).value()->offset, 4U);
  disk_.heal();
  EXPECT_EQ(append_at_last({.topics = {"t"}}).position.offset, 11U);
}

// As when the system has made the disk read-only after an error.
TEST_F(SqliteFaultTest, is_not_available_to_publishers_while_the_file_is_read_only) {
  open().append_all(numbered(0, 10));
  const auto tail = this->tail(9);
  disk_.fail({.matches = is_change, .result_code = SQLITE_READONLY});
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(store().append({.topics = {"t"}}).error(), Errc::kUnavailable);
    EXPECT_EQ(kept().size(), 10U);
    clock_.advance(std::chrono::seconds(1));
  }
  EXPECT_THAT(follow(*tail, 9), ElementsAre("9"));
  disk_.heal();
  EXPECT_EQ(append_at_last({.topics = {"t"}, .data = "after"}).position.offset, 11U);
  EXPECT_THAT(follow(*tail, 10), ElementsAre("after"));
}

TEST_F(SqliteFaultTest, loses_nothing_when_a_checkpoint_fails) {
  for (const int result_code : {SQLITE_FULL, SQLITE_IOERR_WRITE}) {
    SCOPED_TRACE(result_code);
    SqliteOptions options = this->options();
    options.wal_bytes_soft = 1;
    options.wal_bytes_max = 1;
    open(options);
    const std::size_t before = kept().size();
    disk_.fail({.matches = is_checkpoint, .result_code = result_code});
    std::vector<Event> events = numbered(static_cast<int>(before), 20);
    for (const Event& event : events) {
      append_at_last(event);
    }
    EXPECT_GE(disk_.failed(), 1U);
    EXPECT_EQ(kept().size(), before + 20);
    disk_.heal();
    append_at_last({.topics = {"t"}});
    EXPECT_EQ(kept().size(), before + 21);
  }
}

TEST_F(SqliteFaultTest, tells_an_operator_of_trouble_and_of_its_end) {
  std::mutex mutex;
  std::vector<std::string> reports;
  SqliteOptions options = this->options();
  options.report = [&](std::string_view report) {
    const std::lock_guard lock(mutex);
    reports.emplace_back(report);
  };
  open(options);
  disk_.fail({.matches = is_wal_sync, .failing = 1});
  EXPECT_FALSE(store().append({.topics = {"t"}}));
  append_at_last({.topics = {"t"}});
  const std::lock_guard lock(mutex);
  ASSERT_EQ(reports.size(), 2U);
  EXPECT_THAT(reports[0], ::testing::HasSubstr(file()));
  EXPECT_THAT(reports[1], ::testing::HasSubstr("open again"));
}

// A disk that fails at one moment, whichever that is, for once or until it is healed.
class SqliteFaultAtEachCallTest : public SqliteFaultTest {
 protected:
  // What the test knows of a log.
  struct Known {
    std::map<std::uint64_t, std::string> acknowledged;
    std::map<std::uint64_t, std::string> seen;  // by a tail
  };

  SqliteOptions small_options(const std::string& name) const {
    SqliteOptions options{.file = folder_.path() / name,
                          .retention = {.records_max = 12},
                          .wal_bytes_soft = 1,
                          .wal_bytes_max = 1,
                          .chunk_limits = {.records_max = 5},
                          .removed_topics_max = 8,
                          .vfs = disk_.name()};
    return options;
  }

  // Events for the index: it has more topics than it may remember when their records are removed.
  static std::vector<Event> of_many_topics(int first, int count) {
    std::vector<Event> events = numbered(first, count);
    for (Event& event : events) {
      event.topics.push_back("of " + event.id);
    }
    return events;
  }

  static bool is_third(const std::string& data) {
    return data != "last" && std::stoi(data) % 3 == 0;
  }

  // Publishes, follows the log, and looks into its index while the disk may fail.
  void work(Known& known) {
    const auto tail = this->tail(store().log().end().offset);
    std::uint64_t after = store().log().end().offset;
    for (int round = 0; round < 7; ++round) {
      const std::vector<Event> events = of_many_topics(4 * round, 4);
      const auto results = store().append_all(events);
      for (std::size_t i = 0; i < results.size(); ++i) {
        if (results[i]) {
          ASSERT_TRUE(
              known.acknowledged.emplace(results[i]->position.offset, events[i].data).second);
        } else {
          ASSERT_THAT(results[i].error(), AnyOf(Errc::kFull, Errc::kUnavailable));
          clock_.advance(std::chrono::seconds(1));
        }
      }
      while (after < store().log().end().offset) {
        const auto records = store().wait(tail->next({}));
        if (!records) {
          ASSERT_EQ(records.error(), Errc::kUnavailable);
          break;
        }
        for (const RecordPtr& record : *records) {
          ASSERT_EQ(record->position.offset, ++after);
          known.seen.emplace(after, record->event.data);
        }
      }
      look_up(known);
    }
  }

  // What a topic and an id lead to is not passed over in silence.
  void look_up(const Known& known) {
    const auto page = store().read(0, {.topics = {"third"}});
    if (!page) {
      ASSERT_THAT(page.error(), AnyOf(Errc::kPositionGone, Errc::kUnavailable));
    }
    const std::vector<std::string> of_topic =
        page ? data_of(page->records) : std::vector<std::string>();
    for (const auto& [offset, data] : known.acknowledged) {
      if (page && is_third(data)) {
        ASSERT_THAT(of_topic, Contains(data));
      }
    }
    if (!known.acknowledged.empty()) {
      const auto& [offset, data] = *known.acknowledged.rbegin();
      const auto found = store().wait(store().log().find("id " + data));
      if (found) {
        ASSERT_EQ(found->value_or(Position()).offset, offset);
      } else {
        ASSERT_EQ(found.error(), Errc::kUnavailable);
      }
    }
  }

  void check(const Known& known) {
    const auto kept = this->kept();
    const std::uint64_t end = store().log().end().offset;
    for (const auto* const promised : {&known.acknowledged, &known.seen}) {
      for (const auto& [offset, data] : *promised) {
        ASSERT_LE(offset, end);
        if (offset > store().log().begin().offset) {
          EXPECT_EQ(kept.at(offset), data) << offset;
        }
      }
    }
    std::set<std::string> once;
    std::vector<std::string> third;
    for (const auto& [offset, data] : kept) {
      EXPECT_TRUE(once.insert(data).second) << data << " is there twice";
      if (is_third(data)) {
        third.push_back(data);
      }
    }
    const std::uint64_t begin = store().log().begin().offset;
    EXPECT_EQ(data_of(store().read(begin, {.topics = {"third"}}).value().records), third);
  }

  // Lets the disk fail while the log is in use, and again while it is closed. Returns how many
  // calls failed in use.
  std::uint64_t try_fault(const FaultyVfs::Fault& fault, const std::string& name) {
    const SqliteOptions options = small_options(name);
    open(options);
    Known known;
    disk_.fail(fault);
    work(known);
    const std::uint64_t failed = disk_.failed();
    disk_.heal();
    const Event last{.topics = {"t"}, .id = "last", .data = "last"};
    known.acknowledged.emplace(append_at_last(last).position.offset, last.data);
    check(known);
    disk_.fail(fault);
    store_ = nullptr;
    disk_.heal();
    open(options);
    check(known);
    return failed;
  }
};

// Else no fault would meet it.
TEST_F(SqliteFaultAtEachCallTest, takes_removed_topics_over_and_forgets_some_in_its_work) {
  const SqliteOptions options = small_options("well.db");
  open(options);
  Known known;
  work(known);
  check(known);
  auto connection = base::sqlite::Connection::open(options.file, {}).value();
  while (connection.integer("SELECT count(*) FROM removed WHERE forgotten_to > 0").value() == 0) {
    std::this_thread::yield();  // for the thread that writes
  }
}

struct FaultCase {
  std::string name;
  FaultyVfs::Fault fault;
};

class SqliteFaultFromEachCallTest : public SqliteFaultAtEachCallTest,
                                    public ::testing::WithParamInterface<FaultCase> {};
INSTANTIATE_TEST_SUITE_P(
    Where,
    SqliteFaultFromEachCallTest,
    ::testing::Values(FaultCase{"it_fails_once", {.matches = is_change, .failing = 1}},
                      FaultCase{"it_fails_once_and_drops",
                                {.matches = is_change, .failing = 1, .drops_unsynced = true}},
                      FaultCase{"it_fails_on", {.matches = is_change}},
                      FaultCase{"it_is_full_once",
                                {.matches = is_change, .result_code = SQLITE_FULL, .failing = 1}},
                      FaultCase{"any_fails_once", {.matches = is_any, .failing = 1}},
                      FaultCase{"any_fails_on", {.matches = is_any}}),
    [](const auto& c) { return c.param.name; });

TEST_P(SqliteFaultFromEachCallTest, loses_and_doubles_nothing) {
  std::uint64_t failed = 1;
  std::uint64_t call = 0;
  for (; failed > 0 && !HasFailure(); ++call) {
    const std::string name = fmt::format("from_call_{}.db", call);
    SCOPED_TRACE(name);
    FaultyVfs::Fault fault = GetParam().fault;
    fault.skipped = call;
    failed = try_fault(fault, name);
  }
  EXPECT_GT(call, 20U);
}

// A start that fails at any one call leaves a log that the next one opens as if nothing had been.
TEST_F(SqliteFaultTest, opens_a_log_whose_last_start_failed) {
  open().append_all(numbered(0, 10));
  const Position end = store().log().end();
  store_ = nullptr;
  bool failed = true;
  for (std::uint64_t call = 0; failed; ++call) {
    SCOPED_TRACE(call);
    disk_.fail({.matches = is_any, .skipped = call});
    {
      const auto opened = SqliteStore::open(options(), clock_);
      failed = disk_.failed() > 0;
      EXPECT_TRUE(opened || failed);
    }
    disk_.heal();
    open();
    ASSERT_EQ(store().log().end(), end);
    ASSERT_EQ(kept().size(), 10U);
    store_ = nullptr;
  }
}

}  // namespace
}  // namespace vrelo::log::sqlite
