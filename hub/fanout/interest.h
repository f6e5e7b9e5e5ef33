// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace vrelo::fanout {

// Which shards may have a reader for a topic: per shard an array of counters, hashed by topic, and
// one for the readers of everything.
//
// A shard that opens a stream (a) raises its counters, (b) reads the log's committed end, (c) then
// sends the headers. The tail (a) publishes the window's end, (b) then reads the counters. All four
// are sequentially consistent, so of a record and a stream that meet, either the tail sees the
// counter or the stream's end already includes the record: a miss cannot happen. A false positive,
// two topics with one counter, costs a wake-up.
//
// Threads: any.
class Interest {
 public:
  explicit Interest(std::size_t shards) : shards_(shards) {}

  std::size_t shards() const { return shards_.size(); }

  // For streams that want the topic with this hash_topic(), keyed as the window is.
  void raise(std::size_t shard, std::size_t hash) {
    shards_[shard].topics[hash % kCounters].fetch_add(1);
  }
  void lower(std::size_t shard, std::size_t hash) {
    shards_[shard].topics[hash % kCounters].fetch_sub(1);
  }

  // For streams that want more than listed topics.
  void raise_all(std::size_t shard) { shards_[shard].all.fetch_add(1); }
  void lower_all(std::size_t shard) { shards_[shard].all.fetch_sub(1); }

  // Whether `shard` may have a reader for a record with these topics.
  bool wants(std::size_t shard, std::span<const std::size_t> hashes) const {
    const Shard& counters = shards_[shard];
    if (counters.all.load() > 0) {
      return true;
    }
    for (const std::size_t hash : hashes) {
      if (counters.topics[hash % kCounters].load() > 0) {
        return true;
      }
    }
    return false;
  }

 private:
  static constexpr std::size_t kCounters = 1 << 14;  // 64 KiB a shard

  struct Shard {
    std::atomic<std::uint32_t> all{0};
    std::unique_ptr<std::atomic<std::uint32_t>[]> topics =
        std::make_unique<std::atomic<std::uint32_t>[]>(kCounters);
  };

  std::vector<Shard> shards_;
};

}  // namespace vrelo::fanout
