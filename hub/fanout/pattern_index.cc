// SPDX-License-Identifier: Apache-2.0
#include "hub/fanout/pattern_index.h"

#include <algorithm>
#include <cassert>

#include "hub/base/uri_template.h"

namespace vrelo::fanout {
namespace {

// How many segments of a path and slashes of a text count; what patterns have beyond does not rule
// them out.
constexpr std::size_t kSegmentsMax = 8;
constexpr std::size_t kSlashesMax = 11;  // those of a URL's origin, too

// What a key begins with. A host has no slash, so the path behind it cannot be taken for a part of
// it.
constexpr char kHost = '=';
constexpr char kAnyHost = '*';
constexpr char kText = '{';

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

// The same for each beginning that ends with a slash, and for none.
template <typename Visit>
void for_each_folder(std::string_view text, Visit visit) {
  visit(std::size_t{0});
  std::size_t size = 0;
  for (std::size_t i = 0; i < kSlashesMax; ++i) {
    const std::size_t slash = text.find('/', size);
    if (slash == std::string_view::npos) {
      return;
    }
    size = slash + 1;
    visit(size);
  }
}

// Returns nullptr for a template. Asked when a stream opens or ends, never for an event.
const base::UrlPattern* as_url_pattern(const base::TopicPattern& pattern) {
  return dynamic_cast<const base::UrlPattern*>(&pattern);
}

std::string key_of(const base::TopicPattern& pattern) {
  std::size_t size = 0;
  const auto keep_last = [&size](std::size_t longer) { size = longer; };
  if (const base::UrlPattern* const url = as_url_pattern(pattern)) {
    for_each_beginning(url->fixed_path(), keep_last);
    std::string key(1, url->fixed_host() ? kHost : kAnyHost);
    key += url->fixed_host().value_or("");
    return key.append(url->fixed_path(), 0, size);
  }
  const auto& beginning = dynamic_cast<const base::UriTemplate&>(pattern).fixed_beginning();
  for_each_folder(beginning, keep_last);
  return std::string(1, kText).append(beginning, 0, size);
}

}  // namespace

PatternEntry& PatternIndex::entry(const base::TopicPatternPtr& pattern) {
  auto& entry = entries_[pattern.get()];
  if (entry == nullptr) {
    if (const base::UrlPattern* const url = as_url_pattern(*pattern)) {
      assert(base_ == nullptr || base_ == &url->base());
      base_ = &url->base();
      ++url_patterns_;
    }
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
  if (as_url_pattern(*entry.pattern) != nullptr && --url_patterns_ == 0) {
    base_ = nullptr;
  }
  const base::TopicPatternPtr pattern = entry.pattern;  // its address is the key
  entries_.erase(pattern.get());
}

void PatternIndex::find_candidates(base::AskedTopic& topic) {
  candidates_.clear();
  if (url_patterns_ < entries_.size()) {
    find_templates(topic.text());
  }
  if (url_patterns_ > 0) {
    if (const base::TopicUrl* const url = topic.url(*base_)) {
      find_url_patterns(url->parts());
    }
  }
  candidates_seen_ += candidates_.size();
}

void PatternIndex::find_templates(std::string_view topic) {
  key_.assign(1, kText);
  key_.append(topic);
  for_each_folder(topic, [this](std::size_t size) { add_bucket(1 + size); });
}

void PatternIndex::find_url_patterns(const base::TopicUrl::Parts& parts) {
  key_.assign(1, kHost);
  key_.append(parts.host);
  add_buckets(parts.path);
  key_.assign(1, kAnyHost);
  add_buckets(parts.path);
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
