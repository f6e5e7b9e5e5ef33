// SPDX-License-Identifier: Apache-2.0
#include "hub/log/memory/offset_index.h"

#include <algorithm>
#include <cassert>

namespace vrelo::log::memory {

void OffsetIndex::add(std::uint64_t hash, std::uint64_t offset) {
  Offsets& offsets = offsets_[hash];
  assert(offsets.all.empty() || offsets.all.back() < offset);
  offsets.all.push_back(offset);
}

void OffsetIndex::remove_oldest(std::uint64_t hash, std::uint64_t offset) {
  Offsets* const offsets = offsets_.find(hash);
  assert(offsets != nullptr);
  assert(offsets->all[offsets->removed] == offset);
  ++offsets->removed;
  if (offsets->removed == offsets->all.size()) {
    offsets_.erase(hash);
    return;
  }
  // Moved only once half of them are gone, so that each offset moves once on average.
  if (2 * offsets->removed >= offsets->all.size()) {
    offsets->all.erase(offsets->all.begin(),
                       offsets->all.begin() + static_cast<std::ptrdiff_t>(offsets->removed));
    offsets->removed = 0;
  }
}

std::span<const std::uint64_t> OffsetIndex::after(std::uint64_t hash, std::uint64_t after) const {
  const Offsets* const offsets = offsets_.find(hash);
  if (offsets == nullptr) {
    return {};
  }
  const std::span<const std::uint64_t> kept =
      std::span(offsets->all.data(), offsets->all.size()).subspan(offsets->removed);
  return kept.subspan(
      static_cast<std::size_t>(std::upper_bound(kept.begin(), kept.end(), after) - kept.begin()));
}

}  // namespace vrelo::log::memory
