// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>

#include "hub/log/memory/hash_map.h"

namespace vrelo::log::memory {

// For each topic, the offset of its last record that retention removed. It is what tells a reader
// who was away for long whether it has missed anything.
//
// It knows a number of topics at most, and forgets those whose records were removed longest ago. A
// topic that it does not know had no record removed after the last one that was forgotten, so it
// answers with that: a reader may be told of a gap that is none, but never the other way.
//
// Threads: one at a time.
class RemovedTopics {
 public:
  // At least half of `topics_max` are known before any is forgotten.
  explicit RemovedTopics(std::size_t topics_max);

  // Order: offsets do not go back.
  void add(std::uint64_t topic_hash, std::uint64_t offset);

  // Returns an offset after which no record of the topic was removed: the last one's, where it is
  // known.
  std::uint64_t last(std::uint64_t topic_hash) const;

  // Returns how many topics are known, where one that had records removed lately and long ago may
  // count twice.
  std::size_t size() const { return recent_.size() + older_.size(); }

 private:
  const std::size_t half_max_;

  // Two generations: when the recent one is full, the older one is forgotten, and it takes its
  // place.
  HashMap<std::uint64_t> recent_;
  HashMap<std::uint64_t> older_;
  std::uint64_t newest_ = 0;            // of all that were added
  std::uint64_t older_newest_ = 0;      // of those in older_
  std::uint64_t forgotten_newest_ = 0;  // of those that were forgotten
};

}  // namespace vrelo::log::memory
