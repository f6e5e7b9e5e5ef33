// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include <boost/container/small_vector.hpp>

#include "hub/log/memory/hash_map.h"

namespace vrelo::log::memory {

// At which offsets the records with a name stand. Names are given by their keyed hashes, and two
// names may share one, so who finds an offset here looks at the record itself.
//
// Invariant: a hash without offsets takes no memory.
// Threads: one at a time.
class OffsetIndex {
 public:
  // Order: offsets grow; the same offset twice for one hash is a bug.
  void add(std::uint64_t hash, std::uint64_t offset);

  // Removes the oldest offset of `hash`, which is `offset`.
  void remove_oldest(std::uint64_t hash, std::uint64_t offset);

  // Returns the offsets of `hash` that are after `after`, in order.
  // Lifetime: until the next add() or remove_oldest().
  // Cost: a binary search.
  std::span<const std::uint64_t> after(std::uint64_t hash, std::uint64_t after) const;

  // Returns how many hashes have offsets.
  std::size_t size() const { return offsets_.size(); }

 private:
  struct Offsets {
    boost::container::small_vector<std::uint64_t, 2> all = {};  // sorted
    std::size_t removed = 0;                                    // this many, at the front, are gone
  };

  HashMap<Offsets> offsets_;
};

}  // namespace vrelo::log::memory
