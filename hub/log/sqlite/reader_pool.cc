// SPDX-License-Identifier: Apache-2.0
#include "hub/log/sqlite/reader_pool.h"

#include <utility>

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
  auto select_removed = connection->prepare("SELECT offset FROM removed WHERE topic = ?");
  for (const auto* const prepared : {&select_from, &select_one, &select_removed}) {
    if (!*prepared) {
      return prepared->error();
    }
  }
  return std::make_unique<ReadFile>(ReadFile{std::move(*connection), std::move(*select_from),
                                             std::move(*select_one), std::move(*select_removed)});
}

ReaderPool::ReaderPool(Location location, std::size_t threads) : location_(std::move(location)) {
  for (std::size_t i = 0; i < threads; ++i) {
    threads_.emplace_back([this] { run(); });
  }
}

ReaderPool::~ReaderPool() {
  close();
}

void ReaderPool::add(std::unique_ptr<ReadWork> work) {
  {
    const std::lock_guard lock(mutex_);
    if (!closing_) {
      queue_.push_back(std::move(work));
    }
  }
  if (work == nullptr) {
    wake_.notify_one();
    return;
  }
  work->fail();
  std::vector<OperationPtr> failed;
  failed.push_back(work->finish());
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

void ReaderPool::run() {
  std::unique_ptr<ReadFile> file;
  std::unique_lock lock(mutex_);
  while (true) {
    wake_.wait(lock, [this] { return !queue_.empty() || closing_; });
    if (closing_) {
      return;
    }
    std::unique_ptr<ReadWork> work = std::move(queue_.front());
    queue_.pop_front();
    lock.unlock();

    Result<ReadWork::Step> step = base::sqlite::Errc::kCannotOpen;
    if (file == nullptr) {
      if (auto opened = ReadFile::open(location_)) {
        file = std::move(*opened);
      }
    }
    if (file != nullptr) {
      step = work->step(*file);
    }
    if (!step) {
      // Whatever it was, a new connection knows nothing of it.
      file.reset();
      work->fail();
    }
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
