// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

#include "hub/base/clock.h"
#include "hub/base/sqlite/connection.h"
#include "hub/log/operation.h"
#include "hub/log/sqlite/catalog.h"
#include "hub/log/sqlite/database.h"
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
  std::string bytes;                  // as encode_event() writes it
  std::vector<std::uint64_t> topics;  // hashes
  std::optional<std::uint64_t> id;    // hash
};

// The one thread that writes to the file and checkpoints it.
//
// It takes all events that wait and commits them together, so that they share one sync. After any
// error but a full disk it opens the file again and goes on from what it holds: a commit whose sync
// failed may be there or not, and only the file knows.
//
// Threads: any, unless said otherwise.
class Writer {
 public:
  // Reads from the file what the catalog holds. Lifetime: the references outlive the writer.
  // Errors: any of base::sqlite::Errc.
  static boost::system::result<std::unique_ptr<Writer>> start(const SqliteOptions& options,
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

  Writer(const SqliteOptions& options,
         const base::Clock& clock,
         Catalog& catalog,
         Counters& counters);

  Result<void> open_file();
  Result<void> read_index(const State& state, std::uint64_t end);
  void run();
  void write(Batch batch);
  Result<void> store(const Batch& batch);
  Result<void> store(AppendOperation& operation);
  Result<std::optional<std::uint64_t>> find_equal(const AppendOperation& operation);
  enum class Equal { kNo, kYes };
  Result<Equal> holds_equal(std::uint64_t offset, const AppendOperation& operation);
  Excess excess();
  Result<void> remove_excess(std::size_t records_max);
  void show_removed();
  bool remove_in_between();
  void checkpoint(bool forced);
  void recover(boost::system::error_code error);

  const SqliteOptions& options_;
  const base::Clock& clock_;
  Catalog& catalog_;
  Counters& counters_;

  // The thread's own.
  std::unique_ptr<File> file_;  // nullptr: could not be opened again yet
  std::chrono::steady_clock::time_point tried_at_;
  std::uint64_t epoch_ = 0;
  View view_;                      // of the batch that is being written
  std::uint64_t next_ = 0;         // the offset of the next record
  std::vector<Committed> staged_;  // what the batch added so far
  std::uint64_t staged_bytes_ = 0;
  Removed removed_;               // what the transaction removed
  std::uint64_t kept_bytes_ = 0;  // of what is committed
  std::int64_t oldest_ = 0;       // when the oldest record was stored; it may be older than that
  std::int64_t stored_last_ = 0;  // when the newest record was stored
  std::unordered_multimap<std::uint64_t, std::uint64_t> staged_ids_;  // hash to offset

  std::mutex mutex_;
  std::condition_variable wake_;
  Batch queue_;
  Retention retention_;
  bool looks_ = false;  // at what the retention says
  bool closing_ = false;

  std::thread thread_;  // last: it uses all of the above
};

}  // namespace vrelo::log::sqlite
