// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include <boost/system/result.hpp>

#include "hub/base/clock.h"
#include "hub/log/log.h"
#include "hub/log/sqlite/chunk.h"

namespace vrelo::log::sqlite {

// How a SqliteStore keeps its log.
struct SqliteOptions {
  std::string file;
  Retention retention = {};

  // Told, on a thread of the store, what an operator should know: trouble with the disk and its
  // end.
  std::function<void(std::string_view)> report = {};

  std::size_t reader_threads = 2;
  std::size_t page_bytes_max = std::size_t{1} << 18;    // of events that one read transaction gives
  std::size_t recent_bytes_max = std::size_t{8} << 20;  // of records kept in memory for tails
  std::int64_t wal_bytes_soft = std::int64_t{4} << 20;  // checkpoint when nothing waits
  std::int64_t wal_bytes_max = std::int64_t{64} << 20;  // checkpoint also when something waits
  ChunkLimits chunk_limits = {};
  std::uint64_t removed_topics_max = 1'000'000;  // whose last removed offset is kept
  std::string vfs = {};                          // SQLite's name of it; "": the system's
  std::function<void(std::string_view)> at_epoch_step =
      {};  // for tests that kill the process there
};

// What has been done since the store was opened.
struct SqliteStats {
  std::uint64_t commits = 0;
  std::uint64_t rows_visited = 0;  // records that reads and look-ups took out of the file
  std::uint64_t checkpoints = 0;
  std::uint64_t reopened = 0;  // how often the file was opened again after trouble with the disk
};

// A log in one SQLite file: what was acknowledged is on disk.
//
// Beside FILE stand FILE-wal and FILE-shm (SQLite's own), FILE.lock, FILE.epoch and FILE.end. The
// log is one process's: FILE.lock is held for as long as the store is open. FILE.epoch tells
// whether FILE is the one that was written last, or was put back from a backup, see epoch_guard.h;
// FILE.end, whether it has lost what was acknowledged, see end_mark.h.
//
// One thread writes: it takes all events that wait and commits them together. Other threads read,
// each through its own connection, in short transactions, in the order in which they were asked. No
// call on a Log waits for any of them.
//
// Threads, Lifetime: as log::Store.
class SqliteStore final : public Store {
 public:
  // Opens the log, or makes a new one where FILE does not exist or is empty.
  //
  // Cost: blocks; reads the records whose index is not written yet, which are a chunk or two, and
  // a file of up to 64 MiB whole. On a full disk a log that is there is opened: it is read, and
  // kFull to publishers until there is room.
  // Lifetime: `clock` outlives the store.
  // Errors: any of OpenErrc, after which FILE is as it was; any of base::sqlite::Errc.
  static boost::system::result<std::unique_ptr<SqliteStore>> open(SqliteOptions options,
                                                                  const base::Clock& clock);
  ~SqliteStore() override;

  std::unique_ptr<Log> log(base::Executor executor) override;
  Safety safety() const override { return Safety::kDisk; }
  void set_retention(const Retention& retention) override;
  void close() override;

  // Threads: any.
  SqliteStats stats() const;

 private:
  struct Parts;

  explicit SqliteStore(std::unique_ptr<Parts> parts);

  std::unique_ptr<Parts> parts_;
};

// Begins a new epoch in `file`, so that every cursor of before gets a gap. For one who put back a
// backup of FILE and FILE.epoch together, which nothing else can notice.
//
// Errors: any of OpenErrc, any of base::sqlite::Errc; nothing has changed then.
boost::system::result<void> new_epoch(const std::string& file);

}  // namespace vrelo::log::sqlite
