// SPDX-License-Identifier: Apache-2.0
#include "hub/log/sqlite/chunk.h"

#include <algorithm>
#include <cassert>
#include <limits>

namespace vrelo::log::sqlite {

void Chunk::add(const Keys& keys, std::uint64_t bytes) {
  ++last_;
  bytes_ += bytes;
  assert(records() <= std::numeric_limits<std::uint32_t>::max());
  for (const std::uint64_t topic : keys.topics) {
    add(Key::kTopic, topic);
  }
  if (keys.id) {
    add(Key::kId, *keys.id);
  }
  if (keys.content) {
    add(Key::kContent, *keys.content);
  }
}

void Chunk::add(Key key, std::uint64_t hash) {
  const auto distance = static_cast<std::uint32_t>(records());
  Distances& distances = maps_[static_cast<std::size_t>(key)][hash];
  if (distances.empty() || distances.back() != distance) {
    distances.push_back(distance);
    ++entries_;
  }
}

bool Chunk::is_full(const ChunkLimits& limits) const {
  return records() >= limits.records_max || entries_ >= limits.entries_max ||
         bytes_ >= limits.bytes_max;
}

bool Chunk::find(Key key,
                 std::uint64_t hash,
                 std::uint64_t after,
                 std::size_t max,
                 std::vector<std::uint64_t>& offsets) const {
  const auto found = map(key).find(hash);
  if (found == map(key).end() || after >= last_) {
    return false;
  }
  const Distances& distances = found->second;
  auto at = distances.begin();
  if (after > after_) {
    at = std::upper_bound(distances.begin(), distances.end(), after - after_);
  }
  for (; at != distances.end() && max > 0; ++at, --max) {
    offsets.push_back(after_ + *at);
  }
  return at != distances.end();
}

std::vector<IndexEntry> Chunk::entries(Key key) const {
  std::vector<IndexEntry> entries;
  entries.reserve(map(key).size());
  for (const auto& [hash, distances] : map(key)) {
    for (const std::uint32_t distance : distances) {
      entries.push_back({.hash = hash, .value = distance});
    }
  }
  return entries;
}

}  // namespace vrelo::log::sqlite
