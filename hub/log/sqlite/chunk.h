// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include <boost/container/small_vector.hpp>
#include <boost/unordered/unordered_flat_map.hpp>

#include "hub/log/sqlite/index_list.h"

namespace vrelo::log::sqlite {

// What a record is found by: hashes, keyed with the log's own key.
struct Keys {
  std::vector<std::uint64_t> topics = {};
  std::optional<std::uint64_t> id = {};       // of the publisher's id; nullopt: it has none
  std::optional<std::uint64_t> content = {};  // of the whole event; only with an id
};

// By which of its keys a record is looked up. Those with an id are also found by their content,
// because a publisher may use one id for very many events, and who asks whether an event is there
// already must not look at all of them.
enum class Key { kTopic, kId, kContent };
inline constexpr std::array<Key, 3> kKeys = {Key::kTopic, Key::kId, Key::kContent};

// When a chunk is full: what is in chunks is read again by each start, and is in memory. Records
// that retention removed stay in the file until their chunk is written as a run, so the file may be
// larger than the limits by as much.
struct ChunkLimits {
  std::uint64_t records_max = 100'000;
  std::uint64_t entries_max = 400'000;
  std::uint64_t bytes_max = std::uint64_t{16} << 20;
};

// Which records of a stretch of the log have which keys, in memory. The index of recent records is
// made of chunks; one that is full is written to the file as a run, see index_run.h.
//
// Two names may share a hash, so who finds an offset here looks at the record itself.
//
// Threads: one at a time; any once nothing is added any more.
class Chunk {
 public:
  // The first record that is added has the offset after `after`.
  explicit Chunk(std::uint64_t after) : after_(after), last_(after) {}

  // Adds the next record, which counts `bytes` in the limits. Equal topics may repeat.
  void add(const Keys& keys, std::uint64_t bytes);

  std::uint64_t after() const { return after_; }
  std::uint64_t last() const { return last_; }
  std::uint64_t records() const { return last_ - after_; }
  std::uint64_t bytes() const { return bytes_; }  // of all records

  // Whether the next record belongs to another chunk.
  bool is_full(const ChunkLimits& limits) const;

  // Appends to `offsets` those of the records with `hash` that are after `after`, in order and at
  // most `max` of them. Returns whether there are more.
  bool find(Key key,
            std::uint64_t hash,
            std::uint64_t after,
            std::size_t max,
            std::vector<std::uint64_t>& offsets) const;

  // How many different hashes there are.
  std::size_t hashes(Key key) const { return map(key).size(); }

  // Returns the entries of a key in no order. The value of an entry is how far its record is after
  // after().
  std::vector<IndexEntry> entries(Key key) const;

 private:
  // Hashes are keyed and as good as random, so that they are their own hash.
  struct Identity {
    using is_avalanching = void;
    std::size_t operator()(std::uint64_t hash) const { return hash; }
  };
  using Distances = boost::container::small_vector<std::uint32_t, 2>;
  using Map = boost::unordered_flat_map<std::uint64_t, Distances, Identity>;

  const Map& map(Key key) const { return maps_[static_cast<std::size_t>(key)]; }
  void add(Key key, std::uint64_t hash);

  std::uint64_t after_;
  std::uint64_t last_;
  std::uint64_t bytes_ = 0;
  std::size_t entries_ = 0;  // of all keys
  std::array<Map, kKeys.size()> maps_;
};

}  // namespace vrelo::log::sqlite
