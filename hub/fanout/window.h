// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <boost/unordered/unordered_flat_map.hpp>

#include "hub/base/task.h"
#include "hub/fanout/encoded_record.h"
#include "hub/fanout/interest.h"
#include "hub/log/log.h"

namespace vrelo::fanout {

// What a shard takes from the window for a round.
struct Taken {
  std::vector<EncodedPtr> records;  // those after the shard's position that it may have readers for
  log::Position end;                // the shard's new position

  bool more = false;  // some were left for the next round, even if this one got none

  // The window let go of records that the shard wanted before it took them: its live streams have
  // to go on as readers by cursor.
  bool overrun = false;
};

// Which records a reader wants, as a log::Selection says it, with the hashes.
struct Topics {
  bool all = false;
  std::span<const TopicView> listed = {};
};

// The recent part of the log, encoded, within a bound in bytes: one per node, shared by its shards.
// It owns the node's only tail, and holds only what is committed.
//
// Per topic it keeps the offsets of that topic's records, so that a reader of one topic does not
// walk the others.
//
// Threads: follow() on one shard's; all else any. One short lock; nothing is encoded, sent or freed
// in bulk under it.
class Window {
 public:
  // Wakes shard `shard` so that it calls take(). Called without the lock, on the thread of
  // follow(); at most once until the shard has called take().
  using Wake = std::function<void(std::size_t shard)>;

  // `hash_key` is drawn at random when the node starts; a simulation gives a fixed one.
  Window(const log::HashKey& hash_key, std::size_t bytes_max, std::size_t shards, Wake wake);

  Window(const Window&) = delete;
  Window& operator=(const Window&) = delete;

  // Follows `log` until the log is stopped. It begins so far before the log's end as fits the
  // window, so that readers who come back after a restart need no storage.
  //
  // While the store does not answer it asks again, after `pause`. If retention overtook it, it
  // starts anew at the oldest record, and every shard is told that it was overrun.
  base::Task<void> follow(log::Log& log, std::function<base::Task<void>()> pause);

  // Adds what follows the window's end, and wakes the shards that may have readers for it. follow()
  // calls it; tests and the simulator may.
  void append(std::span<const log::RecordPtr> records);

  // Forgets everything: what is held is after `begin` from here on.
  void reset(log::Position begin);

  // Returns what `shard` may have readers for of the records after `after`, where its last take()
  // ended.
  //
  // Cost: bounded, however many records nobody wants lie between.
  Taken take(std::size_t shard, log::Position after, log::ReadLimits limits);

  // Appends to `found` the records after `after` and up to `until` that have one of `topics` (or
  // all records), oldest first, within `limits` (at least one, if there is one), and returns where
  // to go on; nullopt if the window does not reach back to `after`.
  //
  // Cost: what is found, not what is held.
  std::optional<log::Position> read(log::Position after,
                                    log::Position until,
                                    const Topics& topics,
                                    log::ReadLimits limits,
                                    std::vector<EncodedPtr>& found) const;

  // Whether every record after `position` is held.
  bool reaches(log::Position position) const;

  log::Position end() const;
  std::size_t bytes() const;

  Interest& interest() { return interest_; }

  // For hash_topic() and encode(), by all who share this window.
  const log::HashKey& hash_key() const { return hash_key_; }

 private:
  // The offsets of one topic's records. Retention takes from the front, so the front only moves,
  // and the vector is shortened when half of it is unused.
  struct Run {
    std::vector<std::uint64_t> offsets;
    std::size_t front = 0;
  };

  struct Hash {
    using is_transparent = void;
    using is_avalanching = void;
    log::HashKey key;
    std::size_t operator()(std::string_view name) const { return hash_topic(key, name); }
    std::size_t operator()(const TopicView& topic) const { return topic.hash; }
  };
  struct Equal {
    using is_transparent = void;
    bool operator()(std::string_view a, std::string_view b) const { return a == b; }
    bool operator()(const TopicView& a, std::string_view b) const { return a.name == b; }
    bool operator()(std::string_view a, const TopicView& b) const { return a == b.name; }
  };

  struct ShardState {
    std::uint64_t wanted_from = 0;  // offset of the first record it may want; 0: none since take()
    bool overrun = false;
  };

  // The functions below need the lock.
  void push(EncodedPtr record);
  void pop(std::vector<EncodedPtr>& popped);
  std::size_t index_of(std::uint64_t offset) const;  // of the first record at or after `offset`
  void read_topics(std::uint64_t after,
                   std::uint64_t until,
                   std::span<const TopicView> topics,
                   std::size_t records_max,
                   std::vector<std::uint64_t>& offsets) const;

  const log::HashKey hash_key_;
  const std::size_t bytes_max_;
  const Wake wake_;
  Interest interest_;

  mutable std::mutex mutex_;
  std::deque<EncodedPtr> records_;
  boost::unordered_flat_map<std::string, Run, Hash, Equal> runs_;
  std::size_t bytes_ = 0;
  log::Position begin_;  // records after it are held
  log::Position end_;    // up to here
  std::vector<ShardState> shards_;
};

}  // namespace vrelo::fanout
