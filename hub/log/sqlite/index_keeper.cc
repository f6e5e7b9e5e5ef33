// SPDX-License-Identifier: Apache-2.0
#include "hub/log/sqlite/index_keeper.h"

#include <algorithm>
#include <cassert>
#include <iterator>

namespace vrelo::log::sqlite {
namespace {

using base::sqlite::Connection;
using base::sqlite::Result;

// How many runs whose records are all removed may wait to be taken over: a reader whose cursor is
// older than the history looks into each.
constexpr std::size_t kWaitingMax = 4;

// Blocks that are erased at once.
constexpr std::uint64_t kSweptAtOnce = 512;

}  // namespace

Result<IndexKeeper> IndexKeeper::open(Connection& connection,
                                      const State& state,
                                      std::uint64_t removed_topics_max) {
  auto source = BlockSource::open(connection);
  if (!source) {
    return source.error();
  }
  auto runs = read_runs(connection, state);
  if (!runs) {
    return runs.error();
  }
  auto removed = read_removed_topics(connection);
  if (!removed) {
    return removed.error();
  }
  IndexKeeper keeper(std::move(*source), state, removed_topics_max);
  keeper.index_ = {.indexed_to = state.indexed_to,
                   .runs = std::make_shared<const IndexRuns>(std::move(*runs)),
                   .removed = std::make_shared<const RemovedTopics>(std::move(*removed))};
  if (auto found = keeper.find_unused(connection); !found) {
    return found.error();
  }
  return keeper;
}

// Finds the blocks that a process left which was killed while it wrote or erased them.
Result<void> IndexKeeper::find_unused(Connection& connection) {
  std::vector<Range> used;
  const IndexList& removed = index_.removed->list;
  used.push_back({.first = removed.block_first, .end = removed.block_end()});
  for (const IndexRunPtr& run : *index_.runs) {
    used.push_back({.first = run->block_first(), .end = run->block_end()});
  }
  std::sort(used.begin(), used.end(),
            [](const Range& a, const Range& b) { return a.first < b.first; });
  const auto first = connection.integer("SELECT min(number) FROM blocks");
  if (!first) {
    return first.error();
  }
  const auto last = connection.integer("SELECT max(number) FROM blocks");
  if (!last) {
    return last.error();
  }
  auto at = std::max<std::uint64_t>(static_cast<std::uint64_t>(*first), 1);
  for (const Range& range : used) {
    if (range.first > at) {
      unused_.push_back({.first = at, .end = range.first});
    }
    at = std::max(at, range.end);
  }
  block_next_ = std::max(at, static_cast<std::uint64_t>(*last) + 1);
  if (block_next_ > at) {
    unused_.push_back({.first = at, .end = block_next_});
  }
  return {};
}

bool IndexKeeper::is_due(std::uint64_t begin, const Chunk* full) const {
  return full != nullptr || run_ != nullptr || merge_ != nullptr || !unused_.empty() ||
         merge_is_due(begin);
}

// Returns how many runs have no record any more.
std::size_t IndexKeeper::waiting(std::uint64_t begin) const {
  const auto first_kept =
      std::find_if(index_.runs->begin(), index_.runs->end(),
                   [begin](const IndexRunPtr& run) { return run->last > begin; });
  return static_cast<std::size_t>(first_kept - index_.runs->begin());
}

bool IndexKeeper::merge_is_due(std::uint64_t begin) const {
  const std::size_t count = waiting(begin);
  std::uint64_t topics = 0;
  for (std::size_t i = 0; i < count; ++i) {
    topics += (*index_.runs)[i]->topics;
  }
  return count > kWaitingMax || topics > waiting_topics_max(removed_topics_max_);
}

Result<void> IndexKeeper::work(Connection& connection,
                               std::uint64_t begin,
                               std::shared_ptr<const Chunk> full,
                               std::size_t entries) {
  assert(doing_ == Doing::kNothing);
  if (run_ == nullptr && merge_ == nullptr) {
    // Runs first: until a chunk is written, it is in memory.
    if (full != nullptr) {
      run_bytes_ = full->bytes();
      run_ = std::make_unique<IndexRunWriter>(std::move(full), block_next_);
    } else if (merge_is_due(begin)) {
      const auto end = index_.runs->begin() + static_cast<std::ptrdiff_t>(waiting(begin));
      merge_ =
          std::make_unique<RemovedTopicsMerge>(index_.removed, IndexRuns(index_.runs->begin(), end),
                                               merged_topics_max(removed_topics_max_), block_next_);
    }
  }
  if (run_ != nullptr) {
    doing_ = Doing::kRun;
    run_->stage(entries);
    return run_->write(connection, indexed_bytes_ + run_bytes_);
  }
  if (merge_ != nullptr) {
    doing_ = Doing::kMerge;
    if (auto staged = merge_->stage(source_, entries); !staged) {
      return staged;
    }
    return merge_->write(connection);
  }
  if (!unused_.empty()) {
    doing_ = Doing::kSweep;
    return sweep(connection);
  }
  return {};
}

Result<void> IndexKeeper::sweep(Connection& connection) {
  const Range& range = unused_.back();
  swept_to_ = std::min(range.end, range.first + kSweptAtOnce);
  auto erase = connection.prepare("DELETE FROM blocks WHERE number >= ? AND number < ?");
  if (!erase) {
    return erase.error();
  }
  return erase->bind_bits(1, range.first).bind_bits(2, swept_to_).run();
}

IndexKeeper::Change IndexKeeper::committed() {
  switch (std::exchange(doing_, Doing::kNothing)) {
    case Doing::kNothing:
      break;
    case Doing::kRun:
      run_->written();
      if (run_->complete()) {
        add_run();
        return Change::kIndex;
      }
      break;
    case Doing::kMerge:
      merge_->written();
      if (merge_->complete()) {
        take_merged();
        return Change::kIndex;
      }
      break;
    case Doing::kSweep:
      unused_.back().first = swept_to_;
      if (unused_.back().first == unused_.back().end) {
        unused_.pop_back();
      }
      break;
  }
  return Change::kNone;
}

void IndexKeeper::add_run() {
  IndexRunPtr run = run_->take_run();
  run_.reset();
  block_next_ = run->block_end();
  indexed_bytes_ += run_bytes_;
  index_.indexed_to = run->last;
  IndexRuns runs = *index_.runs;
  runs.push_back(std::move(run));
  index_.runs = std::make_shared<const IndexRuns>(std::move(runs));
}

void IndexKeeper::take_merged() {
  const IndexList& old = index_.removed->list;
  std::vector<Range> ranges = {{.first = old.block_first, .end = old.block_end()}};
  for (const IndexRunPtr& run : merge_->runs()) {
    ranges.push_back({.first = run->block_first(), .end = run->block_end()});
  }
  std::copy_if(ranges.begin(), ranges.end(), std::back_inserter(unused_),
               [](const Range& range) { return range.first < range.end; });
  index_.runs = std::make_shared<const IndexRuns>(
      index_.runs->begin() + static_cast<std::ptrdiff_t>(merge_->runs().size()),
      index_.runs->end());
  index_.removed = merge_->take_merged();
  merge_.reset();
  block_next_ = index_.removed->list.block_end();
}

}  // namespace vrelo::log::sqlite
