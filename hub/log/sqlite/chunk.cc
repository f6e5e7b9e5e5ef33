// SPDX-License-Identifier: Apache-2.0
#include "hub/log/sqlite/chunk.h"

#include <algorithm>
#include <cassert>
#include <limits>

namespace vrelo::log::sqlite {

void Chunk::add(std::span<const std::uint64_t> topics, std::optional<std::uint64_t> id) {
  ++last_;
  assert(records() <= std::numeric_limits<std::uint32_t>::max());
  const auto distance = static_cast<std::uint32_t>(records());
  for (const std::uint64_t topic : topics) {
    Distances& distances = topics_[topic];
    if (distances.empty() || distances.back() != distance) {
      distances.push_back(distance);
    }
  }
  if (id) {
    ids_[*id].push_back(distance);
  }
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

std::uint64_t Chunk::newest(Key key, std::uint64_t hash) const {
  const auto found = map(key).find(hash);
  return found == map(key).end() ? 0 : after_ + found->second.back();
}

std::vector<Chunk::Entry> Chunk::entries(Key key) const {
  std::vector<Entry> entries;
  for (const auto& [hash, distances] : map(key)) {
    for (const std::uint32_t distance : distances) {
      entries.push_back({.hash = hash, .distance = distance});
    }
  }
  std::sort(entries.begin(), entries.end());
  return entries;
}

}  // namespace vrelo::log::sqlite
