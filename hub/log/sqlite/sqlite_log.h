// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "hub/log/log.h"
#include "hub/log/sqlite/catalog.h"
#include "hub/log/sqlite/find_id.h"
#include "hub/log/sqlite/history.h"
#include "hub/log/sqlite/reader_pool.h"
#include "hub/log/sqlite/writer.h"

namespace vrelo::log::sqlite {

// What the shards share of a store. Lifetime: outlives the logs.
struct Engine {
  Catalog& catalog;
  Writer& writer;
  ReaderPool& readers;
  const Sources& sources;
};

class SqliteTail;

// One shard's way to the store. Contract: log::Log.
class SqliteLog final : public Log {
 public:
  SqliteLog(const Engine& engine, base::Executor executor);
  ~SqliteLog() override;

  Awaitable<Appended> append(Event event) override;
  Awaitable<Page> read(Position after, Selection selection, ReadLimits limits) override;
  std::unique_ptr<Tail> tail(Position after) override;
  Awaitable<std::optional<Position>> find(std::string event_id) override;
  Position end() const override { return engine_.catalog.end(); }
  Position begin() const override { return engine_.catalog.begin(); }
  void stop() override;

 private:
  friend class SqliteTail;

  const Engine& engine_;
  const std::shared_ptr<Caller> caller_;
  std::vector<SqliteTail*> tails_;
};

// Contract: log::Tail.
class SqliteTail final : public Tail {
 public:
  SqliteTail(SqliteLog& log, Position after);
  ~SqliteTail() override;

  Awaitable<std::vector<RecordPtr>> next(ReadLimits limits) override;
  void stop() override;

 private:
  SqliteLog& log_;
  Position cursor_;
  bool stopped_ = false;
  const Operation* waiting_ = nullptr;
};

}  // namespace vrelo::log::sqlite
