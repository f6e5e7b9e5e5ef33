// SPDX-License-Identifier: Apache-2.0
//
// When a new epoch begins: after a backup was put back, and not after a start that was killed.
#include <array>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <future>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "hub/base/sqlite/faulty_vfs_testing.h"
#include "hub/log/sqlite/open_errc.h"
#include "hub/log/sqlite/sqlite_store_testing.h"

namespace vrelo::log::sqlite {
namespace {

using ::testing::ElementsAre;
using ::testing::ElementsAreArray;
using ::testing::HasSubstr;

using Call = base::sqlite::FaultyVfs::Call;

namespace fs = std::filesystem;

// The steps of a start where there is a log, and where there is none.
constexpr std::array<std::string_view, 4> kSteps = {"examined", "beside", "inside", "beside alone"};
constexpr std::array<std::string_view, 3> kFirstSteps = {"examined", "beside", "inside"};

class SqliteEpochTest : public ::testing::Test {
 protected:
  // A folder as it is when a process is killed in it, or a copy of one.
  fs::path new_folder() {
    folders_.push_back(std::make_unique<TemporaryFolder>());
    return folders_.back()->path();
  }

  fs::path copy_of(const fs::path& folder) {
    fs::path copy = new_folder();
    for (const auto& entry : fs::directory_iterator(folder)) {
      // The index of the write-ahead log is the running process's own, and so is the lock.
      const std::string name = entry.path().filename();
      if (!name.ends_with("-shm") && !name.ends_with(".lock") && !entry.is_symlink()) {
        fs::copy_file(entry.path(), copy / name);
      }
    }
    return copy;
  }

  std::unique_ptr<OpenStore> open(const fs::path& folder) {
    return std::make_unique<OpenStore>(SqliteOptions{.file = folder / "log.db"}, clock_);
  }

  // Opens and closes the log. Returns its epoch.
  std::uint64_t epoch_of(const fs::path& folder) { return open(folder)->log().end().epoch; }

  Position append_to(const fs::path& folder) {
    return open(folder)->append({.topics = {"t"}}).value().position;
  }

  // Returns what a start in `folder` leaves that is killed at `step`. The start in `folder` itself
  // goes on to its end.
  fs::path killed_at(std::string_view step, const fs::path& folder) {
    fs::path killed;
    SqliteOptions options{.file = folder / "log.db"};
    options.at_epoch_step = [&](std::string_view name) {
      if (name == step) {
        EXPECT_TRUE(killed.empty());
        killed = copy_of(folder);
      }
    };
    const OpenStore store(options, clock_);
    EXPECT_FALSE(killed.empty()) << step;
    return killed;
  }

  // From now on nothing can be written beside the log.
  static void fill(const fs::path& folder) {
    fs::create_symlink("/dev/full", folder / "log.db.epoch.new");
  }
  static void make_room(const fs::path& folder) { fs::remove(folder / "log.db.epoch.new"); }

  base::ManualClock clock_;
  std::vector<std::unique_ptr<TemporaryFolder>> folders_;
};

TEST_F(SqliteEpochTest, is_the_same_after_each_start) {
  const fs::path folder = new_folder();
  const Position first = append_to(folder);
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(epoch_of(folder), first.epoch);
  }
  EXPECT_EQ(append_to(folder), (Position{.epoch = first.epoch, .offset = 2}));
}

TEST_F(SqliteEpochTest, is_another_for_each_log) {
  EXPECT_NE(epoch_of(new_folder()), epoch_of(new_folder()));
}

TEST_F(SqliteEpochTest, takes_the_steps_that_its_header_names) {
  const fs::path folder = new_folder();
  std::vector<std::string> steps;
  SqliteOptions options{.file = folder / "log.db"};
  options.at_epoch_step = [&steps](std::string_view name) { steps.emplace_back(name); };
  { const OpenStore first(options, clock_); }
  EXPECT_THAT(steps, ElementsAreArray(kFirstSteps));
  steps.clear();
  { const OpenStore second(options, clock_); }
  EXPECT_THAT(steps, ElementsAreArray(kSteps));
}

TEST_F(SqliteEpochTest, is_the_same_after_a_start_that_was_killed_at_any_step) {
  const fs::path folder = new_folder();
  const Position first = append_to(folder);
  for (const std::string_view step : kSteps) {
    SCOPED_TRACE(step);
    const fs::path killed = killed_at(step, copy_of(folder));
    EXPECT_EQ(epoch_of(copy_of(killed)), first.epoch);
    for (const std::string_view next : kSteps) {
      SCOPED_TRACE(next);
      const fs::path twice = killed_at(next, copy_of(killed));
      EXPECT_EQ(epoch_of(copy_of(twice)), first.epoch);
      for (const std::string_view last : kSteps) {
        SCOPED_TRACE(last);
        const fs::path thrice = killed_at(last, copy_of(twice));
        EXPECT_EQ(append_to(thrice), (Position{.epoch = first.epoch, .offset = 2}));
      }
    }
  }
}

TEST_F(SqliteEpochTest, begins_with_a_log_whose_first_start_was_killed) {
  for (const std::string_view step : kFirstSteps) {
    SCOPED_TRACE(step);
    const fs::path killed = killed_at(step, new_folder());
    const Position first = append_to(killed);
    EXPECT_EQ(first.offset, 1U);
    EXPECT_EQ(epoch_of(killed), first.epoch);
  }
}

TEST_F(SqliteEpochTest, is_a_new_one_when_a_backup_was_put_back) {
  const fs::path folder = new_folder();
  const Position first = append_to(folder);
  const fs::path backup = copy_of(folder);
  EXPECT_EQ(append_to(folder).offset, 2U);  // readers know it
  fs::copy_file(backup / "log.db", folder / "log.db", fs::copy_options::overwrite_existing);
  const Position again = append_to(folder);
  EXPECT_EQ(again.offset, 2U);
  EXPECT_NE(again.epoch, first.epoch);
  EXPECT_EQ(epoch_of(folder), again.epoch);
  auto store = open(folder);
  EXPECT_EQ(store->wait(store->log().read(first, {.all = true}, {})).error(), Errc::kPositionGone);
}

TEST_F(SqliteEpochTest, is_a_new_one_when_the_backup_is_as_old_as_the_last_start) {
  const fs::path folder = new_folder();
  const std::uint64_t first = epoch_of(folder);
  const fs::path backup = copy_of(folder);
  EXPECT_EQ(epoch_of(folder), first);  // the last start, which has stored nothing
  fs::copy_file(backup / "log.db", folder / "log.db", fs::copy_options::overwrite_existing);
  EXPECT_NE(epoch_of(folder), first);
}

TEST_F(SqliteEpochTest, is_a_new_one_also_if_the_start_on_a_backup_is_killed) {
  const fs::path folder = new_folder();
  const std::uint64_t first = append_to(folder).epoch;
  const fs::path backup = copy_of(folder);
  append_to(folder);
  fs::copy_file(backup / "log.db", folder / "log.db", fs::copy_options::overwrite_existing);
  for (const std::string_view step : kSteps) {
    SCOPED_TRACE(step);
    const fs::path killed = killed_at(step, copy_of(folder));
    EXPECT_NE(epoch_of(copy_of(killed)), first);
    for (const std::string_view next : kSteps) {
      SCOPED_TRACE(next);
      const fs::path twice = killed_at(next, copy_of(killed));
      const std::uint64_t epoch = epoch_of(twice);
      EXPECT_NE(epoch, first);
      EXPECT_EQ(epoch_of(twice), epoch);
    }
  }
}

TEST_F(SqliteEpochTest, is_a_new_one_when_nothing_that_can_be_read_is_beside_the_file) {
  for (const std::string_view text : {"gone", "", "not a value\n", "0123456789abcdef0\n"}) {
    SCOPED_TRACE(text);
    const fs::path folder = new_folder();
    const std::uint64_t first = append_to(folder).epoch;
    if (text == "gone") {
      fs::remove(folder / "log.db.epoch");
    } else {
      std::ofstream(folder / "log.db.epoch") << text;
    }
    const std::uint64_t second = epoch_of(folder);
    EXPECT_NE(second, first);
    EXPECT_EQ(epoch_of(folder), second);
  }
}

// --- A log that has lost what it had acknowledged.

// What a crash leaves of five events, the last one of which is in the write-ahead log alone.
class SqliteLostTest : public SqliteEpochTest {
 protected:
  SqliteLostTest() {
    const fs::path folder = new_folder();
    const auto store = open(folder);
    for (int i = 0; i < 5; ++i) {
      end_ = store->append({.topics = {"t"}, .data = std::string(5000, 'x')}).value().position;
    }
    crashed_ = copy_of(folder);
  }

  fs::path wal() const { return crashed_ / "log.db-wal"; }

  // Starts on what is there, and demands a new epoch.
  void expect_new_epoch() {
    std::vector<std::string> reports;
    SqliteOptions options{.file = crashed_ / "log.db"};
    options.report = [&](std::string_view line) { reports.emplace_back(line); };
    OpenStore store(options, clock_);
    EXPECT_NE(store.log().end().epoch, end_.epoch);
    EXPECT_THAT(reports, ElementsAre(HasSubstr("log.db: events are lost")));
    EXPECT_EQ(store.wait(store.log().read(end_, {.all = true}, {})).error(), Errc::kPositionGone);
    EXPECT_NE(store.append({.topics = {"t"}}).value().position.epoch, end_.epoch);
  }

  fs::path crashed_;
  Position end_;
};

TEST_F(SqliteLostTest, has_the_same_epoch_where_nothing_is_lost) {
  EXPECT_EQ(open(crashed_)->log().end(), end_);
  EXPECT_EQ(epoch_of(crashed_), end_.epoch);
}

TEST_F(SqliteLostTest, has_a_new_one_where_the_write_ahead_log_was_removed) {
  fs::remove(wal());
  expect_new_epoch();
}

TEST_F(SqliteLostTest, has_a_new_one_where_it_was_emptied) {
  fs::resize_file(wal(), 0);
  expect_new_epoch();
}

TEST_F(SqliteLostTest, has_a_new_one_where_it_was_cut) {
  fs::resize_file(wal(), fs::file_size(wal()) - 100);
  expect_new_epoch();
}

TEST_F(SqliteLostTest, has_a_new_one_where_a_bit_of_it_is_another) {
  std::fstream file(wal(), std::ios::in | std::ios::out | std::ios::binary);
  const auto half = static_cast<std::streamoff>(fs::file_size(wal()) / 2);
  file.seekg(half);
  const char flipped = static_cast<char>(file.get() ^ 1);
  file.seekp(half);
  file.put(flipped);
  file.close();
  expect_new_epoch();
}

TEST_F(SqliteLostTest, has_the_new_one_from_then_on) {
  fs::remove(wal());
  const std::uint64_t second = epoch_of(crashed_);
  EXPECT_NE(second, end_.epoch);
  EXPECT_EQ(append_to(crashed_).epoch, second);
  EXPECT_EQ(epoch_of(crashed_), second);
}

TEST_F(SqliteLostTest, has_a_new_one_also_if_the_start_is_killed) {
  fs::remove(wal());
  for (const std::string_view step : kSteps) {
    SCOPED_TRACE(step);
    EXPECT_NE(epoch_of(killed_at(step, copy_of(crashed_))), end_.epoch);
  }
}

TEST_F(SqliteLostTest, has_the_same_epoch_where_the_mark_is_older_than_the_log) {
  std::ofstream(crashed_ / "log.db.end") << fmt::format("{:016x}.{:016x}\n", end_.epoch, 1);
  EXPECT_EQ(open(crashed_)->log().end(), end_);
}

TEST_F(SqliteLostTest, has_the_same_epoch_where_there_is_no_mark) {
  const std::string zeros(16, '0');
  for (const std::string& text :
       {std::string("gone"), std::string(), std::string("no mark\n"), zeros + "." + zeros,
        zeros + ":" + zeros + "\n", zeros + "." + std::string(15, 'f') + "g\n",
        fmt::format("{:016x}.{:016x}\n\n", end_.epoch, 99)}) {
    SCOPED_TRACE(text);
    const fs::path folder = copy_of(crashed_);
    if (text == "gone") {
      fs::remove(folder / "log.db.end");
    } else {
      std::ofstream(folder / "log.db.end") << text;
    }
    EXPECT_EQ(open(folder)->log().end(), end_);
  }
}

TEST_F(SqliteLostTest, does_not_start_where_the_mark_cannot_be_read) {
  fs::remove(crashed_ / "log.db.end");
  fs::create_directory(crashed_ / "log.db.end");
  EXPECT_EQ(SqliteStore::open({.file = crashed_ / "log.db"}, clock_).error(),
            boost::system::errc::is_a_directory);
}

// --- A disk without room.

TEST_F(SqliteEpochTest, is_the_same_after_a_start_on_a_full_disk) {
  const fs::path folder = new_folder();
  const Position first = append_to(folder);
  fill(folder);
  for (int start = 0; start < 3; ++start) {
    auto store = open(folder);
    EXPECT_EQ(store->log().end(), first);
    EXPECT_EQ(store->read(0, {.topics = {"t"}}).value().records.size(), 1U);
    EXPECT_EQ(store->append({.topics = {"t"}}).error(), Errc::kFull);
    EXPECT_EQ(store->append({.topics = {"t"}}).error(), Errc::kFull);
    EXPECT_EQ(store->log().end(), first);
  }
  auto store = open(folder);
  EXPECT_EQ(store->append({.topics = {"t"}}).error(), Errc::kFull);
  make_room(folder);
  EXPECT_EQ(store->append({.topics = {"t"}}).value().position,
            (Position{.epoch = first.epoch, .offset = 2}));
  store.reset();
  EXPECT_EQ(append_to(folder), (Position{.epoch = first.epoch, .offset = 3}));
}

TEST_F(SqliteEpochTest, is_the_same_when_the_disk_gets_full_at_any_step_of_a_start) {
  const fs::path folder = new_folder();
  const Position first = append_to(folder);
  for (const std::string_view step : kSteps) {
    SCOPED_TRACE(step);
    const fs::path full = copy_of(folder);
    SqliteOptions options{.file = full / "log.db"};
    options.at_epoch_step = [&](std::string_view name) {
      if (name == step) {
        fill(full);
      }
    };
    auto store = std::make_unique<OpenStore>(options, clock_);
    EXPECT_EQ(store->log().end(), first);
    if (step != "beside alone") {
      EXPECT_EQ(store->append({.topics = {"t"}}).error(), Errc::kFull);
    }
    const fs::path killed = copy_of(full);
    make_room(full);
    EXPECT_EQ(store->append({.topics = {"t"}}).value().position.offset, 2U);
    store.reset();
    for (const fs::path& next : {full, killed}) {
      make_room(next);
      EXPECT_EQ(append_to(next).epoch, first.epoch);
    }
  }
}

TEST_F(SqliteEpochTest, is_a_new_one_when_a_backup_was_put_back_that_is_of_a_full_disk) {
  const fs::path folder = new_folder();
  const Position first = append_to(folder);
  fill(folder);
  fs::path backup;
  {
    const auto store = open(folder);
    backup = copy_of(folder);
    make_room(folder);
    EXPECT_EQ(store->append({.topics = {"t"}}).value().position.offset, 2U);  // readers know it
  }
  fs::copy_file(backup / "log.db", folder / "log.db", fs::copy_options::overwrite_existing);
  const Position again = append_to(folder);
  EXPECT_EQ(again.offset, 2U);
  EXPECT_NE(again.epoch, first.epoch);
}

// It must be in the file before a reader knows it, or each further start would begin another.
TEST_F(SqliteEpochTest, is_a_new_one_on_a_full_disk_as_soon_as_there_is_room) {
  const fs::path folder = new_folder();
  const Position first = append_to(folder);
  const fs::path backup = copy_of(folder);
  append_to(folder);
  fs::copy_file(backup / "log.db", folder / "log.db", fs::copy_options::overwrite_existing);
  fill(folder);
  const SqliteOptions options{.file = folder / "log.db"};
  EXPECT_EQ(SqliteStore::open(options, clock_).error(), base::sqlite::Errc::kFull);
  make_room(folder);
  const std::uint64_t second = epoch_of(folder);
  EXPECT_NE(second, first.epoch);
  EXPECT_EQ(epoch_of(folder), second);
}

TEST_F(SqliteEpochTest, is_the_same_when_the_log_itself_finds_no_room_at_a_start) {
  const fs::path folder = new_folder();
  const Position first = append_to(folder);
  base::sqlite::FaultyVfs disk;
  disk.fail({.matches = [](Call call, std::string_view) { return call == Call::kWrite; },
             .result_code = SQLITE_FULL});
  auto store = std::make_unique<OpenStore>(
      SqliteOptions{.file = folder / "log.db", .vfs = disk.name()}, clock_);
  EXPECT_GE(disk.failed(), 1U);
  EXPECT_EQ(store->append({.topics = {"t"}}).error(), Errc::kFull);
  EXPECT_EQ(store->log().end(), first);
  disk.heal();
  EXPECT_EQ(store->append({.topics = {"t"}}).value().position.offset, 2U);
  store.reset();
  EXPECT_EQ(append_to(folder), (Position{.epoch = first.epoch, .offset = 3}));
}

TEST_F(SqliteEpochTest, is_written_as_soon_as_there_is_room_also_where_nobody_publishes) {
  const fs::path folder = new_folder();
  append_to(folder);
  fill(folder);
  std::mutex mutex;
  std::vector<std::string> reports;
  std::promise<void> written;
  SqliteOptions options{.file = folder / "log.db"};
  options.report = [&](std::string_view line) {
    const std::lock_guard lock(mutex);
    reports.emplace_back(line);
    if (reports.size() == 2) {
      written.set_value();
    }
  };
  const OpenStore store(options, clock_);
  make_room(folder);
  std::future<void> done = written.get_future();
  while (done.wait_for(std::chrono::milliseconds(1)) != std::future_status::ready) {
    clock_.advance(std::chrono::seconds(1));
  }
  const std::lock_guard lock(mutex);
  EXPECT_THAT(reports, ElementsAre(HasSubstr("log.db: the disk is full"),
                                   HasSubstr("log.db: the disk has room again")));
}

TEST_F(SqliteEpochTest, is_a_new_one_when_it_is_asked_for) {
  const fs::path folder = new_folder();
  const Position first = append_to(folder);
  EXPECT_TRUE(new_epoch(folder / "log.db"));
  const Position second = append_to(folder);
  EXPECT_NE(second.epoch, first.epoch);
  EXPECT_EQ(second.offset, 2U);
}

TEST_F(SqliteEpochTest, stays_when_a_new_one_is_asked_for_while_the_log_is_open) {
  const fs::path folder = new_folder();
  const auto store = open(folder);
  EXPECT_EQ(new_epoch(folder / "log.db").error(), OpenErrc::kInUse);
}

}  // namespace
}  // namespace vrelo::log::sqlite
