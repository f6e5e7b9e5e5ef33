// SPDX-License-Identifier: Apache-2.0
#include "hub/log/sqlite/reader_pool.h"

#include <utility>

#include <fmt/format.h>

#include "hub/base/signals_held.h"

namespace vrelo::log::sqlite {

using base::sqlite::Result;

Result<std::unique_ptr<ReadFile>> ReadFile::open(const Location& location) {
  auto connection = open_reader(location);
  if (!connection) {
    return connection.error();
  }
  auto select_from = connection->prepare(
      "SELECT offset, stored_at, event FROM records WHERE offset > ? ORDER BY offset");
  auto select_one =
      connection->prepare("SELECT offset, stored_at, event FROM records WHERE offset = ?");
  for (const auto* const prepared : {&select_from, &select_one}) {
    if (!*prepared) {
      return prepared->error();
    }
  }
  auto blocks = BlockSource::open(*connection);
  if (!blocks) {
    return blocks.error();
  }
  return std::make_unique<ReadFile>(ReadFile{std::move(*connection), std::move(*select_from),
                                             std::move(*select_one), std::move(*blocks)});
}

ReaderPool::ReaderPool(Location location,
                       std::size_t threads,
                       std::function<void(std::string_view)> report)
    : location_(std::move(location)), report_(std::move(report)) {
  const base::SignalsHeld held;
  for (std::size_t i = 0; i < threads; ++i) {
    threads_.emplace_back([this] { run(); });
  }
}

ReaderPool::~ReaderPool() {
  close();
}

void ReaderPool::add(std::unique_ptr<ReadWork> work) {
  std::vector<OperationPtr> failed;
  {
    const std::lock_guard lock(mutex_);
    if (closing_) {
      work->fail();
      failed.push_back(work->finish());
    } else {
      queue_.push_back(std::move(work));
    }
  }
  wake_.notify_one();
  complete_all(std::move(failed));
}

void ReaderPool::close() {
  {
    const std::lock_guard lock(mutex_);
    closing_ = true;
  }
  wake_.notify_all();
  for (std::thread& thread : threads_) {
    if (thread.joinable()) {
      thread.join();
    }
  }
  std::vector<OperationPtr> failed;
  for (const auto& work : queue_) {
    work->fail();
    failed.push_back(work->finish());
  }
  queue_.clear();
  complete_all(std::move(failed));
}

// Does a step, on a new connection if there is none.
Result<ReadWork::Step> ReaderPool::do_step(ReadWork& work, std::unique_ptr<ReadFile>& file) {
  if (file == nullptr) {
    auto opened = ReadFile::open(location_);
    if (!opened) {
      return opened.error();
    }
    file = std::move(*opened);
  }
  return work.step(*file);
}

void ReaderPool::run() {
  std::unique_ptr<ReadFile> file;
  bool fails = false;
  std::unique_lock lock(mutex_);
  while (true) {
    wake_.wait(lock, [this] { return !queue_.empty() || closing_; });
    if (closing_) {
      return;
    }
    std::unique_ptr<ReadWork> work = std::move(queue_.front());
    queue_.pop_front();
    lock.unlock();

    const Result<ReadWork::Step> step = do_step(*work, file);
    if (!step) {
      // Whatever it was, a new connection knows nothing of it.
      file.reset();
      work->fail();
      if (!fails && report_) {
        report_(fmt::format("{}: {}; a read failed", location_.file, step.error().message()));
      }
    }
    fails = !step;
    const bool again = step && *step == ReadWork::Step::kAgain;
    if (!again) {
      std::vector<OperationPtr> done;
      done.push_back(work->finish());
      complete_all(std::move(done));
    }
    lock.lock();
    if (again) {
      queue_.push_back(std::move(work));
    }
  }
}

}  // namespace vrelo::log::sqlite
