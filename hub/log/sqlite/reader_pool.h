// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string_view>
#include <thread>
#include <vector>

#include "hub/base/sqlite/connection.h"
#include "hub/log/operation.h"
#include "hub/log/sqlite/database.h"
#include "hub/log/sqlite/index_list.h"

namespace vrelo::log::sqlite {

// A connection that reads, with what is prepared on it.
struct ReadFile {
  base::sqlite::Connection connection;
  base::sqlite::Statement select_from;  // (offset): offset, stored_at, event of those after it
  base::sqlite::Statement select_one;   // (offset): offset, stored_at, event
  BlockSource blocks;

  static base::sqlite::Result<std::unique_ptr<ReadFile>> open(const Location& location);
};

// Something to be read from the file.
class ReadWork {
 public:
  enum class Step { kDone, kAgain };

  virtual ~ReadWork() = default;

  // Does a part of the work, short enough for others to wait for it. Errors: those of the file,
  // after which fail() is called.
  virtual base::sqlite::Result<Step> step(ReadFile& file) = 0;

  virtual void fail() = 0;

  // Ends the work: gives up the operation that waits for it.
  virtual OperationPtr finish() = 0;
};

// Threads that read, each on its own connection, first come, first served: work that needs more
// than one step goes to the end of the queue after each.
//
// Threads: any, unless said otherwise.
class ReaderPool {
 public:
  // `report` is told, on one of the threads, that reading failed; once, until it works again.
  ReaderPool(Location location, std::size_t threads, std::function<void(std::string_view)> report);
  ~ReaderPool();

  void add(std::unique_ptr<ReadWork> work);

  // Ends the threads; what still waits fails. Threads: one, once.
  void close();

 private:
  base::sqlite::Result<ReadWork::Step> do_step(ReadWork& work, std::unique_ptr<ReadFile>& file);
  void run();

  const Location location_;
  const std::function<void(std::string_view)> report_;

  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::unique_ptr<ReadWork>> queue_;
  bool closing_ = false;

  std::vector<std::thread> threads_;  // last: they use all of the above
};

}  // namespace vrelo::log::sqlite
