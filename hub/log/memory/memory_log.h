// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "hub/log/log.h"
#include "hub/log/memory/history.h"
#include "hub/log/operation.h"

namespace vrelo::log::memory {

class MemoryTail;

// One shard's way to the history. Contract: log::Log.
class MemoryLog final : public Log {
 public:
  // Lifetime: `history` outlives the log.
  MemoryLog(History& history, base::Executor executor);
  ~MemoryLog() override;

  Awaitable<Appended> append(Event event) override;
  Awaitable<Page> read(Position after, Selection selection, ReadLimits limits) override;
  std::unique_ptr<Tail> tail(Position after) override;
  Awaitable<std::optional<Position>> find(std::string event_id) override;
  Position end() const override { return history_.end(); }
  Position begin() const override { return history_.begin(); }
  void stop() override;

 private:
  friend class MemoryTail;

  History& history_;
  const std::shared_ptr<Caller> caller_;
  std::vector<MemoryTail*> tails_;
};

// Contract: log::Tail.
class MemoryTail final : public Tail {
 public:
  MemoryTail(MemoryLog& log, Position after);
  ~MemoryTail() override;

  Awaitable<std::vector<RecordPtr>> next(ReadLimits limits) override;
  void stop() override;

 private:
  MemoryLog& log_;
  Position cursor_;
  bool stopped_ = false;
  const Operation* waiting_ = nullptr;
};

}  // namespace vrelo::log::memory
