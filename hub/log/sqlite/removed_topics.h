// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "hub/base/sqlite/connection.h"
#include "hub/log/sqlite/index_list.h"
#include "hub/log/sqlite/index_run.h"

namespace vrelo::log::sqlite {

// Of each topic, the last record that retention removed, so that a reader of quiet topics whose
// cursor is older than the history gets no false gap. It is a list of blocks, as an index run is;
// the row in `removed` says where.
//
// It holds what the runs say that were dropped. What was removed from runs that are still there, is
// in them: who asks looks at both.
//
// Its size is bounded: topics whose last removed record is the oldest are forgotten. A topic that
// is not in it has had nothing removed after `forgotten_to`.
struct RemovedTopics {
  std::uint64_t topics = 0;        // that it knows
  std::uint64_t forgotten_to = 0;  // 0: it has forgotten none
  IndexList list = {};             // values: offsets

  // Returns whether a record with this topic was removed after `after`, or may have been.
  //
  // Cost: one page. Errors: those of the file.
  enum class Answer { kNo, kYes, kNoBlock };  // kNoBlock: another list has replaced this one
  base::sqlite::Result<Answer> removed_after(BlockSource& source,
                                             std::uint64_t topic,
                                             std::uint64_t after) const;
};

using RemovedTopicsPtr = std::shared_ptr<const RemovedTopics>;

// Returns what the file knows. Errors: kDamaged, and those of the file.
base::sqlite::Result<RemovedTopics> read_removed_topics(base::sqlite::Connection& connection);

// How many topics may be in runs that wait to be taken over, and how many are known after that, so
// that both together are at most `topics_max`.
constexpr std::uint64_t waiting_topics_max(std::uint64_t topics_max) {
  return topics_max / 4;
}
constexpr std::uint64_t merged_topics_max(std::uint64_t topics_max) {
  return topics_max - waiting_topics_max(topics_max);
}

// Takes over the topics of runs whose records are all removed, in slices: makes a new list of the
// old one and of theirs, and then drops the runs. The old blocks stay behind, for a sweep.
//
// Order: as IndexRunWriter.
class RemovedTopicsMerge {
 public:
  // Blocks get numbers from `block_first` on.
  RemovedTopicsMerge(RemovedTopicsPtr old,
                     IndexRuns runs,
                     std::uint64_t topics_max,
                     std::uint64_t block_first);

  // Prepares the next slice, of `slice_topics`. Errors: kDamaged, and those of the file.
  base::sqlite::Result<void> stage(BlockSource& source, std::size_t slice_topics);
  base::sqlite::Result<void> write(base::sqlite::Connection& connection);
  void written();

  bool complete() const { return complete_; }
  const IndexRuns& runs() const { return runs_; }

  // Lifetime: once.
  RemovedTopicsPtr take_merged() {
    return std::make_shared<const RemovedTopics>(std::move(merged_));
  }

 private:
  // One of the lists, and the entry it stands at.
  struct Input {
    const IndexList& list;
    std::uint64_t base;  // what a value is counted from
    std::unique_ptr<IndexCursor> cursor = {};
    std::optional<IndexEntry> entry = {};  // the newest of its topic
    std::optional<IndexEntry> ahead = {};
  };

  base::sqlite::Result<void> rewind(BlockSource& source);
  base::sqlite::Result<void> advance(Input& input, BlockSource& source);
  base::sqlite::Result<std::optional<IndexEntry>> next(BlockSource& source);
  base::sqlite::Result<void> sample(BlockSource& source, std::size_t slice_topics);
  void decide();

  const RemovedTopicsPtr old_;
  const IndexRuns runs_;
  const std::uint64_t topics_max_;
  std::vector<Input> inputs_;

  // With more topics than may be known, a first pass finds out which are the oldest.
  enum class Pass { kSample, kMerge, kMerged };
  Pass pass_;
  bool begun_ = false;  // this pass is
  std::uint64_t stride_ = 1;
  std::uint64_t seen_ = 0;
  std::vector<std::uint64_t> sample_;

  RemovedTopics merged_;
  IndexListWriter list_;
  std::uint64_t block_next_;
  std::vector<std::string> staged_;
  bool complete_ = false;
};

}  // namespace vrelo::log::sqlite
