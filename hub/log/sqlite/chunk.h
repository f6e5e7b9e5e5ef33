// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include <boost/container/small_vector.hpp>
#include <boost/unordered/unordered_flat_map.hpp>

namespace vrelo::log::sqlite {

// Which records of a stretch of the log have which topics and ids, in memory, by their hashes. The
// index of recent records is made of chunks; one that is full is written to the file as a run, see
// index_run.h.
//
// Two names may share a hash, so who finds an offset here looks at the record itself.
//
// Threads: one at a time.
class Chunk {
 public:
  // The first record that is added has the offset after `after`.
  explicit Chunk(std::uint64_t after) : after_(after), last_(after) {}

  // Adds the next record. Equal topics may repeat.
  void add(std::span<const std::uint64_t> topics, std::optional<std::uint64_t> id);

  std::uint64_t after() const { return after_; }
  std::uint64_t last() const { return last_; }
  std::uint64_t records() const { return last_ - after_; }

  enum class Key { kTopic, kId };

  // Appends to `offsets` those of the records with `hash` that are after `after`, in order and at
  // most `max` of them. Returns whether there are more.
  bool find(Key key,
            std::uint64_t hash,
            std::uint64_t after,
            std::size_t max,
            std::vector<std::uint64_t>& offsets) const;

  // Returns the newest offset of `hash`, 0 if there is none.
  std::uint64_t newest(Key key, std::uint64_t hash) const;

  // A hash and how far after after() a record with it stands.
  struct Entry {
    std::uint64_t hash;
    std::uint32_t distance;

    friend auto operator<=>(const Entry&, const Entry&) = default;
  };

  // Returns all entries in order. Cost: sorts.
  std::vector<Entry> entries(Key key) const;

 private:
  // Hashes are keyed and as good as random, so that they are their own hash.
  struct Identity {
    using is_avalanching = void;
    std::size_t operator()(std::uint64_t hash) const { return hash; }
  };
  using Distances = boost::container::small_vector<std::uint32_t, 2>;
  using Map = boost::unordered_flat_map<std::uint64_t, Distances, Identity>;

  const Map& map(Key key) const { return key == Key::kTopic ? topics_ : ids_; }

  std::uint64_t after_;
  std::uint64_t last_;
  Map topics_;
  Map ids_;
};

}  // namespace vrelo::log::sqlite
