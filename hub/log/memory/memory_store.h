// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "hub/base/clock.h"
#include "hub/log/log.h"

namespace vrelo::log::memory {

class History;

// What a log in memory keeps if it is not told otherwise.
inline constexpr Retention kRetention{.bytes_max = std::uint64_t{64} << 20};

// What is in memory now, and what was done since the store was made.
struct MemoryStats {
  std::size_t records = 0;
  std::size_t topics = 0;             // that the index has records of
  std::size_t ids = 0;                // as above
  std::size_t removed_topics = 0;     // whose last removed offset is known
  std::uint64_t bytes = 0;            // as Retention::bytes_max counts
  std::uint64_t records_visited = 0;  // that reads and look-ups looked at
};

// A log in memory: it ends with the process, and each start begins a new epoch.
//
// Retention::bytes_max is what records and their places in the index take, allocator included: at
// most a sixth more, and up to a third less where many small records share a topic. On top come the
// tables of the index, which take some 300 KiB when there is little in them, and what is known of
// removed topics: about 20 bytes a topic. An event that by itself is larger than bytes_max is
// refused with kFull.
//
// Age is measured on the steady clock: setting the time of day removes nothing and keeps nothing.
// There is no timer: each call first removes what has become too old, so that nobody ever reads it.
// Its memory is given back a slice at a time by the calls that follow.
//
// All operations complete at once, without a way through another thread, and take one short lock.
//
// Threads, Lifetime: as log::Store.
class MemoryStore final : public Store {
 public:
  // Lifetime: `clock` outlives the store.
  explicit MemoryStore(const Retention& retention,
                       const base::Clock& clock,
                       std::size_t removed_topics_max = 1'000'000);
  ~MemoryStore() override;

  std::unique_ptr<Log> log(base::Executor executor) override;
  Safety safety() const override { return Safety::kProcess; }
  void set_retention(const Retention& retention) override;
  void close() override;

  MemoryStats stats() const;

 private:
  const std::unique_ptr<History> history_;
};

}  // namespace vrelo::log::memory
