// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <mutex>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include <boost/container/small_vector.hpp>
#include <boost/system/result.hpp>

#include "hub/base/clock.h"
#include "hub/log/log.h"
#include "hub/log/memory/memory_store.h"
#include "hub/log/memory/offset_index.h"
#include "hub/log/memory/page_filling.h"
#include "hub/log/memory/removed_topics.h"
#include "hub/log/operation.h"
#include "hub/log/siphash.h"

namespace vrelo::log::memory {

// What the shards share of a store: the records in their order, the indexes, and who waits for
// more.
//
// What the limits do not allow is removed at once in that nobody can read it; it leaves memory in
// slices, so that no call does the work of thousands.
//
// Threads: any. One lock, held for a short time: names are hashed before it is taken, and records
// are freed after.
class History {
 public:
  History(const Retention& retention,
          const base::Clock& clock,
          std::size_t removed_topics_max,
          std::uint64_t epoch);
  History(const History&) = delete;
  History& operator=(const History&) = delete;

  // As log::Log, but at once.
  boost::system::result<Appended> append(Event event);
  boost::system::result<Page> read(Position after, const Selection& selection, ReadLimits limits);
  boost::system::result<std::optional<Position>> find(std::string_view event_id);
  Position begin();
  Position end() const;

  // Keeps `waiter` until there is a record after `after`; if there already is, or there will be
  // none, returns it at once.
  OperationPtr wait(Position after, OperationPtr waiter);

  // Gives back a waiter that is kept; nullptr if it is no longer.
  OperationPtr take_waiter(const Operation* waiter);

  void set_retention(const Retention& retention);

  // From now on all of the above answers with Errc::kStopped, and those who wait are woken.
  void close();

  MemoryStats stats() const;

 private:
  // A record with what it is found by.
  struct Entry {
    RecordPtr record;
    base::Clock::Steady stored_at;
    std::uint64_t bytes_before = 0;                                // of all records before this one
    boost::container::small_vector<std::uint64_t, 1> topics = {};  // hashes, each once
    std::uint64_t id = 0;                                          // hash, if the event has an id
    std::uint64_t content = 0;  // hash of all there is in the event, if it has an id
  };
  using Removed = boost::container::small_vector<RecordPtr, 8>;

  boost::system::result<Page> read_matching(Position after,
                                            const Selection& selection,
                                            ReadLimits limits);
  void hash(const Event& event, Entry& entry) const;

  // All of these under the lock.
  std::optional<std::uint64_t> find_equal(const Event& event, std::uint64_t content);
  const Entry& visit(std::uint64_t offset);
  const Entry& entry(std::uint64_t offset) const;
  bool is_gone(std::span<const std::uint64_t> topics, std::uint64_t after) const;
  void read_all(std::uint64_t after, PageFilling& page);
  void read_topics(std::uint64_t after,
                   const Selection& selection,
                   std::span<const std::uint64_t> topics,
                   PageFilling& page);
  void index(const Entry& entry);
  bool is_over(std::uint64_t offset, base::Clock::Steady now) const;
  void trim(base::Clock::Steady now);
  void sweep(Removed& removed);

  const base::Clock& clock_;
  const HashKey hash_key_;
  const std::uint64_t epoch_;

  mutable std::mutex mutex_;
  Retention retention_;
  bool closed_ = false;

  // What is kept is after begin_ and up to end_. What is in memory is after swept_, so it may begin
  // with some that are removed already.
  std::uint64_t swept_ = 0;
  std::uint64_t begin_ = 0;
  std::uint64_t end_ = 0;
  base::Clock::Wall stored_last_;  // when the newest record was stored
  std::deque<Entry> entries_;
  std::uint64_t bytes_ = 0;  // of all records there ever were

  OffsetIndex topics_;
  OffsetIndex ids_;
  OffsetIndex contents_;  // of events with an id
  RemovedTopics removed_topics_;
  std::vector<OperationPtr> waiters_;
  std::uint64_t visited_ = 0;
};

}  // namespace vrelo::log::memory
