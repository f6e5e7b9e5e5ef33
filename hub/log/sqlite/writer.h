// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <unordered_map>
#include <vector>

#include "hub/base/clock.h"
#include "hub/base/sqlite/connection.h"
#include "hub/log/operation.h"
#include "hub/log/sqlite/ages.h"
#include "hub/log/sqlite/catalog.h"
#include "hub/log/sqlite/database.h"
#include "hub/log/sqlite/end_mark.h"
#include "hub/log/sqlite/remover.h"
#include "hub/log/sqlite/sqlite_store.h"

namespace vrelo::log::sqlite {

// What the threads of a store count. Threads: any.
struct Counters {
  std::atomic<std::uint64_t> commits = 0;
  std::atomic<std::uint64_t> rows_visited = 0;
  std::atomic<std::uint64_t> checkpoints = 0;
  std::atomic<std::uint64_t> reopened = 0;
};

// An event on its way into the log. What can be computed before the writer has it, is.
class AppendOperation final : public OperationOf<Appended> {
 public:
  AppendOperation(std::shared_ptr<Caller> caller, Event event, const HashKey& key);

  Event event;
  std::string bytes;  // as encode_event() writes it
  Keys keys;
};

// What a record is found by. `bytes`: as encode_event() writes it.
Keys keys_of(const Event& event, std::string_view bytes, const HashKey& key);

// The one thread that writes to the file and checkpoints it.
//
// It takes all events that wait and commits them together, so that they share one sync; and with
// them a slice of what retention and the index have to do, which has a transaction of its own only
// while nobody publishes. After any error but a full disk it opens the file again and goes on from
// what it holds: a commit whose sync failed may be there or not, and only the file knows.
//
// What is committed into a file that has lost its name is lost with the process. So once FILE or
// FILE-wal is removed, moved or replaced nothing is acknowledged any more, until the same file is
// back under its name. It stays open for that long: another file of this name is for the next start
// to judge, and what is open may be all that is left.
//
// Threads: any, unless said otherwise.
class Writer {
 public:
  // Reads from the file what the catalog holds. Lifetime: the references outlive the writer.
  // Errors: any of base::sqlite::Errc.
  // `location`: with the identity. `guard_to_write`: as Prepared has it; until it is written the
  // disk counts as full.
  static boost::system::result<std::unique_ptr<Writer>> start(
      const Location& location,
      EndMark mark,
      std::optional<std::uint64_t> guard_to_write,
      const SqliteOptions& options,
      const base::Clock& clock,
      Catalog& catalog,
      Counters& counters);
  ~Writer();

  void append(std::unique_ptr<AppendOperation> operation);
  void set_retention(const Retention& retention);

  // Writes what was accepted, closes the file and ends the thread. Threads: one, once.
  void close();

 private:
  struct File;
  using Batch = std::vector<std::unique_ptr<AppendOperation>>;
  template <typename T>
  using Result = base::sqlite::Result<T>;

  Writer(const Location& location,
         EndMark mark,
         std::optional<std::uint64_t> guard_to_write,
         const SqliteOptions& options,
         const base::Clock& clock,
         Catalog& catalog,
         Counters& counters);

  Result<void> open_file();
  Result<void> read_tail(const State& state, std::uint64_t end);
  void run();
  enum class Left { kNothing, kMore };
  Left turn(Batch batch);
  Result<void> commit(const Batch& batch);
  Result<void> write_guard();
  Result<void> store(AppendOperation& operation);
  Result<std::optional<std::uint64_t>> find_equal(const AppendOperation& operation);
  Result<std::vector<std::uint64_t>> find_content(std::uint64_t content);
  enum class Equal { kNo, kYes };
  Result<Equal> holds_equal(std::uint64_t offset, const AppendOperation& operation);
  Excess excess();
  bool is_due();
  Result<void> keep_limits();
  Result<void> keep_index();
  std::vector<OperationPtr> show();
  void checkpoint(bool forced);
  void recover(boost::system::error_code error);
  bool look_whether_in_place();
  void report(const std::string& line) const;

  const Location location_;
  const std::string wal_name_;
  const EndMark mark_;
  const SqliteOptions& options_;
  const base::Clock& clock_;
  Catalog& catalog_;
  Counters& counters_;

  // The thread's own.
  std::unique_ptr<File> file_;  // nullptr: could not be opened again yet
  base::Clock::Steady tried_at_;
  std::optional<std::uint64_t> guard_to_write_;  // before anything else
  std::optional<FileIdentity> wal_identity_;     // since the file was opened
  bool in_place_ = true;                         // whether FILE and FILE-wal were, when last looked
  View view_;                                    // of the transaction
  std::uint64_t next_ = 0;                       // the offset of the next record
  std::vector<Committed> staged_;                // what the transaction added so far
  std::unordered_multimap<std::uint64_t, std::uint64_t> staged_contents_;  // hash to offset
  std::int64_t stored_last_ = 0;  // when the newest record was stored
  Ages ages_;

  // How far the log reaches: what is committed, and what the transaction makes of it.
  struct Extent {
    Beginning begin;
    std::uint64_t erased_to = 0;  // rows up to there are gone
    std::uint64_t end_bytes = 0;  // as Beginning::bytes, of all records
  };
  Extent extent_;
  Extent next_extent_;

  std::mutex mutex_;
  std::condition_variable wake_;
  Batch queue_;
  Retention retention_;
  bool looks_ = false;  // whether limits are over
  bool closing_ = false;

  std::thread thread_;  // last: it uses all of the above
};

}  // namespace vrelo::log::sqlite
