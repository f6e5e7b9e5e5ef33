// SPDX-License-Identifier: Apache-2.0
#include "hub/fanout/pattern_index.h"

#include <algorithm>
#include <cassert>

namespace vrelo::fanout {
namespace {

// How many segments of a path count; what patterns have beyond does not rule them out.
constexpr std::size_t kSegmentsMax = 8;

// What a key begins with. A host has no slash, so the path behind it cannot be taken for a part of
// it.
constexpr char kHost = '=';
constexpr char kAnyHost = '*';

// Calls `visit(size)` for the size of each beginning of `path` that is made of whole segments, from
// the first to the last that counts.
template <typename Visit>
void for_each_beginning(std::string_view path, Visit visit) {
  std::size_t size = 0;
  for (std::size_t i = 0; i < kSegmentsMax && size < path.size(); ++i) {
    size = std::min(path.find('/', size + 1), path.size());
    visit(size);
  }
}

std::string key_of(const base::UrlPattern& pattern) {
  std::size_t size = 0;
  for_each_beginning(pattern.fixed_path(), [&size](std::size_t longer) { size = longer; });
  std::string key(1, pattern.fixed_host() ? kHost : kAnyHost);
  key += pattern.fixed_host().value_or("");
  return key.append(pattern.fixed_path(), 0, size);
}

}  // namespace

PatternEntry& PatternIndex::entry(const base::UrlPatternPtr& pattern) {
  auto& entry = entries_[pattern.get()];
  if (entry == nullptr) {
    assert(&pattern->base() == &base());
    entry = std::make_unique<PatternEntry>(PatternEntry{.pattern = pattern});
    buckets_[key_of(*pattern)].push_back(entry.get());
  }
  return *entry;
}

void PatternIndex::remove(PatternEntry& entry) {
  const auto bucket = buckets_.find(key_of(*entry.pattern));
  assert(bucket != buckets_.end());
  std::erase(bucket->second, &entry);
  if (bucket->second.empty()) {
    buckets_.erase(bucket);
  }
  const base::UrlPatternPtr pattern = entry.pattern;  // its address is the key
  entries_.erase(pattern.get());
}

void PatternIndex::find_candidates(const base::TopicUrl::Parts& parts) {
  candidates_.clear();
  key_.assign(1, kHost);
  key_.append(parts.host);
  add_buckets(parts.path);
  key_.assign(1, kAnyHost);
  add_buckets(parts.path);
  candidates_seen_ += candidates_.size();
}

// Adds what lies under the key as it is, and with each beginning of `path`.
void PatternIndex::add_buckets(std::string_view path) {
  const std::size_t before_path = key_.size();
  key_.append(path);
  add_bucket(before_path);
  for_each_beginning(path, [&](std::size_t size) { add_bucket(before_path + size); });
}

void PatternIndex::add_bucket(std::size_t key_size) {
  const auto bucket = buckets_.find(std::string_view(key_).substr(0, key_size));
  if (bucket != buckets_.end()) {
    candidates_.insert(candidates_.end(), bucket->second.begin(), bucket->second.end());
  }
}

}  // namespace vrelo::fanout
