// SPDX-License-Identifier: Apache-2.0
#include "test/conformance/log/implementation.h"

#include <unistd.h>

#include <cassert>
#include <cstdlib>
#include <filesystem>
#include <utility>

#include "hub/log/memory/memory_store.h"
#include "hub/log/sqlite/sqlite_store.h"

namespace vrelo::log {
namespace {

class Memory final : public Implementation {
 public:
  std::unique_ptr<Store> open(const OpenOptions& options, const base::Clock& clock) override {
    auto store =
        std::make_unique<memory::MemoryStore>(options.retention, clock, options.removed_topics_max);
    store_ = store.get();
    return store;
  }

  bool persists() const override { return false; }
  std::uint64_t records_visited() const override { return store_->stats().records_visited; }

 private:
  memory::MemoryStore* store_ = nullptr;
};

// In memory where the system has such a folder: a sync then costs nothing, and no test here is
// about the disk.
std::filesystem::path parent_folder() {
  constexpr const char* kInMemory = "/dev/shm";
  return ::access(kInMemory, R_OK | W_OK | X_OK) == 0 ? kInMemory
                                                      : std::filesystem::temp_directory_path();
}

class Sqlite final : public Implementation {
 public:
  // `defaults`: what the options of SQLite's own are.
  explicit Sqlite(sqlite::SqliteOptions defaults = {}) : defaults_(std::move(defaults)) {
    std::string folder = parent_folder() / "vrelo_log_XXXXXX";
    [[maybe_unused]] const char* const made = ::mkdtemp(folder.data());
    assert(made != nullptr);
    folder_ = folder;
  }
  Sqlite(const Sqlite&) = delete;
  Sqlite& operator=(const Sqlite&) = delete;
  ~Sqlite() override { std::filesystem::remove_all(folder_); }

  std::unique_ptr<Store> open(const OpenOptions& options, const base::Clock& clock) override {
    sqlite::SqliteOptions all = defaults_;
    all.file = folder_ / "log.db";
    all.retention = options.retention;
    all.removed_topics_max = options.removed_topics_max;
    auto store = sqlite::SqliteStore::open(std::move(all), clock).value();
    store_ = store.get();
    return store;
  }

  bool persists() const override { return true; }
  std::uint64_t records_visited() const override { return store_->stats().rows_visited; }

 private:
  const sqlite::SqliteOptions defaults_;
  std::filesystem::path folder_;
  sqlite::SqliteStore* store_ = nullptr;
};

}  // namespace

std::vector<ImplementationCase> implementations() {
  return {{.name = "memory", .make = [] { return std::make_unique<Memory>(); }},
          {.name = "sqlite", .make = [] { return std::make_unique<Sqlite>(); }}};
}

std::vector<ImplementationCase> variants() {
  std::vector<ImplementationCase> cases = implementations();
  cases.push_back({.name = "sqlite_in_small_pieces", .make = [] {
                     sqlite::SqliteOptions small;
                     small.page_bytes_max = 1000;
                     small.recent_bytes_max = 1000;
                     small.chunk_limits.records_max = 10;
                     small.wal_bytes_soft = 1;
                     return std::make_unique<Sqlite>(std::move(small));
                   }});
  return cases;
}

}  // namespace vrelo::log
