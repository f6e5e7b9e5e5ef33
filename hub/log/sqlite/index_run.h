// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "hub/base/sqlite/connection.h"
#include "hub/log/sqlite/chunk.h"
#include "hub/log/sqlite/content_filter.h"
#include "hub/log/sqlite/database.h"
#include "hub/log/sqlite/index_list.h"

namespace vrelo::log::sqlite {

// The index of a stretch of the log, in the file. The log has one list of runs, each after the one
// before it; what is after the last is indexed by chunks, in memory.
//
// To write an index row with each record would touch a page for each topic and id. A run is written
// at once, sorted, when its chunk is full, and never changes: of each key there is a list in the
// table `blocks`, whose fences are in the run's row in `runs`, and in memory while the log is open.
// When retention has removed the run's last record, its topics are taken over into RemovedTopics
// and the run is dropped.
//
// Invariant: whoever sees the row sees the blocks.
struct IndexRun {
  std::uint64_t after = 0;                         // the first record is the one after it
  std::uint64_t last = 0;                          // the last record
  std::uint64_t topics = 0;                        // how many different ones
  std::array<IndexList, kKeys.size()> lists = {};  // values: how far after `after`
  ContentFilter contents{0};

  std::uint64_t block_first() const { return lists.front().block_first; }
  std::uint64_t block_end() const { return lists.back().block_end(); }
  const IndexList& list(Key key) const { return lists[static_cast<std::size_t>(key)]; }

  // Appends to `offsets` those of the records with `hash` that are after `from`, in order and at
  // most `max` of them. Two names may share a hash.
  //
  // Cost, Errors: as IndexList::find(); of contents that are not there, seldom any I/O.
  base::sqlite::Result<IndexList::Found> find(BlockSource& source,
                                              Key key,
                                              std::uint64_t hash,
                                              std::uint64_t from,
                                              std::size_t max,
                                              std::vector<std::uint64_t>& offsets) const;
};

// Runs never change, so all who read share them, and the list of them.
using IndexRunPtr = std::shared_ptr<const IndexRun>;
using IndexRuns = std::vector<IndexRunPtr>;  // in order
using IndexRunsPtr = std::shared_ptr<const IndexRuns>;

// Returns all runs. Errors: kDamaged, also if they do not cover all that is indexed and kept.
base::sqlite::Result<IndexRuns> read_runs(base::sqlite::Connection& connection, const State& state);

// Adds the row of a run whose blocks are there.
base::sqlite::Result<void> add_run(base::sqlite::Connection& connection, const IndexRun& run);

// Makes a run of a chunk, in slices.
//
// Order: stage(), then a transaction that write()s, then written() once that is committed; again
// until complete(). If the transaction failed, the same slice is written by the next one.
class IndexRunWriter {
 public:
  // Blocks get numbers from `block_first` on. Lifetime: shares the chunk, to which nothing is added
  // any more.
  IndexRunWriter(std::shared_ptr<const Chunk> chunk, std::uint64_t block_first);

  // Prepares the next slice, of about `entries_max`. Cost: a millisecond for 10,000.
  void stage(std::size_t entries_max);

  // Writes what is staged. The last slice makes the run, which holds records that count
  // `indexed_bytes` up to its end; see State.
  base::sqlite::Result<void> write(base::sqlite::Connection& connection,
                                   std::uint64_t indexed_bytes);
  void written();

  bool complete() const { return complete_; }

  // Lifetime: once.
  IndexRunPtr take_run() { return std::make_shared<const IndexRun>(std::move(run_)); }

 private:
  std::size_t stage_some(std::size_t max);
  void end_list();
  bool all_staged() const { return key_ == kKeys.size(); }

  const std::shared_ptr<const Chunk> chunk_;
  IndexRun run_;
  std::size_t key_ = 0;              // of kKeys: whose list is being made
  std::vector<IndexEntry> entries_;  // of that key, unsorted from taken_ on
  std::size_t taken_ = 0;
  bool begun_ = false;  // entries_ is that key's
  IndexListWriter list_;
  std::uint64_t block_next_;
  std::vector<std::string> staged_;
  bool complete_ = false;
};

}  // namespace vrelo::log::sqlite
