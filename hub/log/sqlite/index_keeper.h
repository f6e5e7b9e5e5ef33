// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "hub/base/sqlite/connection.h"
#include "hub/log/sqlite/chunk.h"
#include "hub/log/sqlite/database.h"
#include "hub/log/sqlite/index_list.h"
#include "hub/log/sqlite/index_run.h"
#include "hub/log/sqlite/removed_topics.h"

namespace vrelo::log::sqlite {

// The part of the index that is in the file.
struct WrittenIndex {
  std::uint64_t indexed_to = 0;
  IndexRunsPtr runs = {};         // up to indexed_to
  RemovedTopicsPtr removed = {};  // what runs said that are no longer there
};

// Keeps the written index, in slices: it writes full chunks as runs, takes over what must be
// remembered of runs whose records are all removed, and erases blocks that nothing refers to any
// more.
//
// Threads: the writer's. Lifetime: within that of the connection.
// Order: in a transaction work(), then committed() or rolled_back(). One that failed is made up for
// by the next.
class IndexKeeper {
 public:
  // Errors: kDamaged, and those of the file.
  static base::sqlite::Result<IndexKeeper> open(base::sqlite::Connection& connection,
                                                const State& state,
                                                std::uint64_t removed_topics_max);

  const WrittenIndex& index() const { return index_; }

  // Whether there is something to do in a log that begins after `begin` and whose oldest full chunk
  // is `full`; nullptr: it has none.
  bool is_due(std::uint64_t begin, const Chunk* full) const;

  // Does a slice of it, of about `entries`. Cost: some milliseconds for 10,000.
  base::sqlite::Result<void> work(base::sqlite::Connection& connection,
                                  std::uint64_t begin,
                                  std::shared_ptr<const Chunk> full,
                                  std::size_t entries);

  // Returns whether index() is another now.
  enum class Change { kNone, kIndex };
  Change committed();
  void rolled_back() { doing_ = Doing::kNothing; }

 private:
  // Numbers of blocks; the end is open.
  struct Range {
    std::uint64_t first = 0;
    std::uint64_t end = 0;
  };
  enum class Doing { kNothing, kRun, kMerge, kSweep };

  IndexKeeper(BlockSource source, const State& state, std::uint64_t removed_topics_max)
      : source_(std::move(source)),
        removed_topics_max_(removed_topics_max),
        indexed_bytes_(state.indexed_bytes) {}

  base::sqlite::Result<void> find_unused(base::sqlite::Connection& connection);
  std::size_t waiting(std::uint64_t begin) const;
  bool merge_is_due(std::uint64_t begin) const;
  base::sqlite::Result<void> sweep(base::sqlite::Connection& connection);
  void add_run();
  void take_merged();

  BlockSource source_;
  std::uint64_t removed_topics_max_;
  WrittenIndex index_;
  std::uint64_t indexed_bytes_;
  std::uint64_t block_next_ = 1;
  std::vector<Range> unused_;  // blocks to be erased, the next ones last

  // One at a time, because each numbers its blocks without a gap.
  std::unique_ptr<IndexRunWriter> run_;
  std::uint64_t run_bytes_ = 0;  // of its chunk
  std::unique_ptr<RemovedTopicsMerge> merge_;

  Doing doing_ = Doing::kNothing;  // in this transaction
  std::uint64_t swept_to_ = 0;
};

}  // namespace vrelo::log::sqlite
