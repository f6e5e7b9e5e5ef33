// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <boost/unordered/unordered_flat_map.hpp>

#include "hub/base/url_pattern.h"
#include "hub/fanout/encoded_record.h"
#include "hub/log/siphash.h"

namespace vrelo::fanout {

struct Group;

// A pattern that streams of this shard select, with the groups that do.
struct PatternEntry {
  base::TopicPatternPtr pattern;
  std::vector<Group*> groups = {};
  std::uint64_t seen = 0;  // the number of the record that matched last, see PatternIndex
};

// Leads from a record to the patterns that match one of its topics.
//
// URL patterns lie by the host and the segments of the path that all their topics have in common,
// URI templates by what all their topics begin with, up to a slash. So a record costs a look-up for
// each segment of its topics, and an evaluation for each pattern that these do not rule out,
// however many readers share it.
//
// Invariant: a pattern is evaluated at most once for each topic of a record.
// Threads: one, the shard's.
class PatternIndex {
 public:
  explicit PatternIndex(const log::HashKey& key) : buckets_(0, Hash{key}) {}

  PatternIndex(const PatternIndex&) = delete;
  PatternIndex& operator=(const PatternIndex&) = delete;

  // Returns the entry of `pattern`, made if need be. All URL patterns have the same base.
  PatternEntry& entry(const base::TopicPatternPtr& pattern);

  void remove(PatternEntry& entry);

  // Calls `visit(PatternEntry&)` for each pattern that matches one of an event's topics, once. No
  // entry may be made or removed meanwhile.
  //
  // Cost: nothing without patterns.
  template <typename Visit>
  void for_each_match(base::AskedTopics& topics, Visit visit) {
    if (entries_.empty()) {
      return;
    }
    ++record_;
    for (base::AskedTopic& topic : topics) {
      find_candidates(topic);
      for (PatternEntry* const entry : candidates_) {
        if (entry->seen != record_ && entry->pattern->matches(topic)) {
          entry->seen = record_;
          visit(*entry);
        }
      }
    }
  }

  std::size_t size() const { return entries_.size(); }

  // How many patterns were not ruled out, for all topics there were.
  std::uint64_t candidates() const { return candidates_seen_; }

 private:
  struct Hash {
    using is_transparent = void;
    using is_avalanching = void;
    log::HashKey key;
    std::size_t operator()(std::string_view text) const { return hash_topic(key, text); }
  };
  using Bucket = std::vector<PatternEntry*>;

  void find_candidates(base::AskedTopic& topic);
  void find_templates(std::string_view topic);
  void find_url_patterns(const base::TopicUrl::Parts& parts);
  void add_buckets(std::string_view path);
  void add_bucket(std::size_t key_size);

  boost::unordered_flat_map<const base::TopicPattern*, std::unique_ptr<PatternEntry>> entries_;
  boost::unordered_flat_map<std::string, Bucket, Hash, std::equal_to<>> buckets_;
  std::size_t url_patterns_ = 0;         // of the entries; the others are templates
  const base::UrlBase* base_ = nullptr;  // theirs; nullptr if there is none
  std::uint64_t record_ = 0;             // counts the records that were looked at
  std::uint64_t candidates_seen_ = 0;

  // The patterns that may match the topic that is looked at, and the key of a bucket.
  std::vector<PatternEntry*> candidates_;
  std::string key_;
};

}  // namespace vrelo::fanout
