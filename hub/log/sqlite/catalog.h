// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <vector>

#include "hub/log/log.h"
#include "hub/log/operation.h"
#include "hub/log/sqlite/chunk.h"
#include "hub/log/sqlite/index_keeper.h"

namespace vrelo::log::sqlite {

// A record that was committed, with what it is found by.
struct Committed {
  RecordPtr record;
  Keys keys;
  std::uint64_t bytes = 0;  // record_bytes()
};

// What a reader starts from: what was committed at one moment. The file may be further on by the
// time it is read; records up to `end` are in it unless retention has removed them since.
struct View {
  std::uint64_t epoch = 0;
  std::uint64_t begin = 0;
  std::uint64_t end = 0;

  // The index: what is written of it, and after that the chunks, oldest first, which are only read
  // through Catalog::find. It may begin before the history.
  WrittenIndex index = {};
  std::vector<std::shared_ptr<const Chunk>> chunks = {};
};

// What the writer, the readers and the shards know together of the log, without looking into the
// file: where it begins and ends, the index of recent records, those records themselves, and who
// waits for more.
//
// Invariant: everything in it is committed.
// Threads: any; the writer's alone where said. No lock is held during I/O.
class Catalog {
 public:
  Catalog(std::size_t recent_bytes_max, const ChunkLimits& chunk_limits)
      : recent_bytes_max_(recent_bytes_max), chunk_limits_(chunk_limits) {}

  // Threads: the writer's, for these.

  // Begins anew from what the file holds. The last chunk is the one that commit() adds to; it ends
  // at `end`.
  void reset(Position begin,
             std::uint64_t end,
             WrittenIndex index,
             std::vector<std::shared_ptr<Chunk>> chunks);

  // Shows what was just committed to everyone. Returns those who waited for it.
  std::vector<OperationPtr> commit(std::span<const Committed> batch);

  // Tells that what is up to `begin` was removed.
  void removed(std::uint64_t begin);

  // Tells that more of the index is written, or that some of it was taken over.
  void indexed(WrittenIndex index);

  // Returns the oldest chunk, if it is full; nullptr if it is not.
  std::shared_ptr<const Chunk> full_chunk() const;

  // Threads: any, for these.

  Position begin() const;
  Position end() const;
  View view() const;

  // Chunk::find() over one chunk of a view, which the writer may still be adding to; records after
  // the view's end are left out.
  bool find(const View& view,
            const Chunk& chunk,
            Key key,
            std::uint64_t hash,
            std::uint64_t after,
            std::size_t max,
            std::vector<std::uint64_t>& offsets) const;

  // What a tail gets at once.
  struct Recent {
    enum class Kind {
      kRecords,  // `records` has some
      kStorage,  // they are older than what is in memory
      kWait,     // there are none yet
      kGone,     // Errc::kPositionGone
      kStopped,  // Errc::kStopped
    };
    Kind kind;
    std::vector<RecordPtr> records = {};
  };
  Recent recent(Position after, ReadLimits limits) const;

  // Keeps `waiter` until there is a record after `after`; if there already is, or there will be
  // none, returns it at once.
  OperationPtr wait(Position after, OperationPtr waiter);

  // Gives back a waiter that is kept; nullptr if it is no longer.
  OperationPtr take_waiter(const Operation* waiter);
  std::vector<OperationPtr> take_waiters();

  // From now on nobody waits and no tail gets anything. Returns those who waited.
  std::vector<OperationPtr> stop();
  bool is_stopped() const;

 private:
  const std::size_t recent_bytes_max_;
  const ChunkLimits chunk_limits_;

  mutable std::mutex mutex_;
  std::uint64_t epoch_ = 0;
  std::uint64_t begin_ = 0;
  std::uint64_t end_ = 0;
  WrittenIndex index_;
  std::vector<std::shared_ptr<Chunk>> chunks_;
  std::deque<RecordPtr> recent_;  // the last records, without a hole, up to end_
  std::size_t recent_bytes_ = 0;
  std::vector<OperationPtr> waiters_;
  bool stopped_ = false;
};

}  // namespace vrelo::log::sqlite
