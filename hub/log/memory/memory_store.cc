// SPDX-License-Identifier: Apache-2.0
#include "hub/log/memory/memory_store.h"

#include "hub/base/random.h"
#include "hub/log/memory/history.h"
#include "hub/log/memory/memory_log.h"

namespace vrelo::log::memory {

MemoryStore::MemoryStore(const Retention& retention,
                         const base::Clock& clock,
                         std::size_t removed_topics_max)
    : history_(
          std::make_unique<History>(retention, clock, removed_topics_max, base::random_value())) {}

MemoryStore::~MemoryStore() = default;

std::unique_ptr<Log> MemoryStore::log(base::Executor executor) {
  return std::make_unique<MemoryLog>(*history_, executor);
}

void MemoryStore::set_retention(const Retention& retention) {
  history_->set_retention(retention);
}

void MemoryStore::close() {
  history_->close();
}

MemoryStats MemoryStore::stats() const {
  return history_->stats();
}

}  // namespace vrelo::log::memory
