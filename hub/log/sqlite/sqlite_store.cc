// SPDX-License-Identifier: Apache-2.0
#include "hub/log/sqlite/sqlite_store.h"

#include <optional>
#include <utility>

#include <fmt/format.h>

#include "hub/log/sqlite/catalog.h"
#include "hub/log/sqlite/database.h"
#include "hub/log/sqlite/end_mark.h"
#include "hub/log/sqlite/file_lock.h"
#include "hub/log/sqlite/history.h"
#include "hub/log/sqlite/open_errc.h"
#include "hub/log/sqlite/reader_pool.h"
#include "hub/log/sqlite/sqlite_log.h"
#include "hub/log/sqlite/writer.h"

namespace vrelo::log::sqlite {

struct SqliteStore::Parts {
  Parts(SqliteOptions given, FileLock taken)
      : options(std::move(given)),
        lock(std::move(taken)),
        catalog(options.recent_bytes_max, options.chunk_limits) {}

  const SqliteOptions options;
  FileLock lock;
  Counters counters;
  Catalog catalog;
  std::unique_ptr<Writer> writer;
  std::optional<Sources> sources;
  std::optional<ReaderPool> readers;
  std::optional<Engine> engine;
  bool closed = false;
};

boost::system::result<std::unique_ptr<SqliteStore>> SqliteStore::open(SqliteOptions options,
                                                                      const base::Clock& clock) {
  auto lock = FileLock::take(options.file);
  if (!lock) {
    return lock.error();
  }
  auto parts = std::make_unique<Parts>(std::move(options), std::move(*lock));
  Location location{.file = parts->options.file, .vfs = parts->options.vfs};
  const auto prepared = prepare(location, parts->options.at_epoch_step);
  if (!prepared) {
    return prepared.error();
  }
  if (!prepared->new_epoch.empty() && parts->options.report) {
    parts->options.report(
        fmt::format("{}: {}; a new epoch begins, and readers that come back are told of a gap",
                    location.file, prepared->new_epoch));
  }
  location.identity = identify(location.file);
  if (!location.identity) {
    return OpenErrc::kCannotOpen;
  }
  auto mark = EndMark::open(location.file);
  if (!mark) {
    return mark.error();
  }
  auto writer = Writer::start(location, std::move(*mark), prepared->guard_to_write, parts->options,
                              clock, parts->catalog, parts->counters);
  if (!writer) {
    return writer.error();
  }
  parts->writer = std::move(*writer);
  parts->sources.emplace(Sources{.catalog = parts->catalog,
                                 .counters = parts->counters,
                                 .hash_key = prepared->hash_key,
                                 .page_bytes_max = parts->options.page_bytes_max});
  parts->readers.emplace(location, parts->options.reader_threads, parts->options.report);
  parts->engine.emplace(Engine{.catalog = parts->catalog,
                               .writer = *parts->writer,
                               .readers = *parts->readers,
                               .sources = *parts->sources});
  return std::unique_ptr<SqliteStore>(new SqliteStore(std::move(parts)));
}

SqliteStore::SqliteStore(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}

SqliteStore::~SqliteStore() {
  close();
}

std::unique_ptr<Log> SqliteStore::log(base::Executor executor) {
  return std::make_unique<SqliteLog>(*parts_->engine, executor);
}

void SqliteStore::set_retention(const Retention& retention) {
  parts_->writer->set_retention(retention);
}

void SqliteStore::close() {
  if (std::exchange(parts_->closed, true)) {
    return;
  }
  complete_all(parts_->catalog.stop());
  // The readers first: the last connection to close is then the writer's, which leaves one file.
  parts_->readers->close();
  parts_->writer->close();
}

SqliteStats SqliteStore::stats() const {
  const Counters& counters = parts_->counters;
  return {.commits = counters.commits.load(),
          .rows_visited = counters.rows_visited.load(),
          .checkpoints = counters.checkpoints.load(),
          .reopened = counters.reopened.load()};
}

boost::system::result<void> new_epoch(const std::string& file) {
  const auto lock = FileLock::take(file);
  if (!lock) {
    return lock.error();
  }
  return write_new_epoch({.file = file});
}

}  // namespace vrelo::log::sqlite
