// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <boost/container/small_vector.hpp>
#include <boost/container/vector.hpp>
#include <boost/unordered/unordered_flat_set.hpp>

#include "hub/auth/grant.h"
#include "hub/fanout/encoded_record.h"
#include "hub/fanout/pattern_index.h"
#include "hub/log/log.h"

namespace vrelo::fanout {

struct Group;

// There may be an object of its own for each stream, so its lists have lengths of four bytes.
template <typename T, std::size_t kInline>
using ShortList = boost::container::small_vector<
    T,
    kInline,
    void,
    boost::container::small_vector_options<boost::container::stored_size<std::uint32_t>>::type>;
template <typename T>
using List = boost::container::vector<
    T,
    void,
    boost::container::vector_options<boost::container::stored_size<std::uint32_t>>::type>;

// One of the groups that select a topic, and whether their grant lets them read private events of
// that topic, which is asked once: a round need not look at the grant of each reader.
class GroupLink {
 public:
  GroupLink(Group& group, bool is_granted)
      : at_(reinterpret_cast<char*>(&group) + (is_granted ? 1 : 0)) {}

  Group& group() const { return *reinterpret_cast<Group*>(at_ - (is_granted() ? 1 : 0)); }
  bool is_granted() const { return reinterpret_cast<std::uintptr_t>(at_) % 2 == 1; }

 private:
  friend class GroupLinks;
  explicit GroupLink(char* at) : at_(at) {}

  // There may be one for each stream, so the answer stands where an aligned address has a zero.
  char* at_;
};

// The groups that select a topic. There may be such a list for each stream, most of them of one
// link, so it takes no more room than that.
class GroupLinks {
 public:
  GroupLinks() = default;
  ~GroupLinks() { assert(at_ == nullptr); }

  GroupLinks(const GroupLinks&) = delete;
  GroupLinks& operator=(const GroupLinks&) = delete;

  void add(GroupLink link);

  // Takes out the link to `group`, which is there. True: it was the last.
  bool remove(const Group& group);

  template <typename Visit>
  void for_each(Visit visit) const {
    if (at_ != nullptr && !are_several()) {
      visit(GroupLink(at_));
    } else if (at_ != nullptr) {
      std::for_each(several().begin(), several().end(), visit);
    }
  }

 private:
  using Several = std::vector<GroupLink>;

  static constexpr std::uintptr_t kSeveral = 2;
  bool are_several() const { return reinterpret_cast<std::uintptr_t>(at_) % 4 >= kSeveral; }
  Several& several() const { return *reinterpret_cast<Several*>(at_ - kSeveral); }

  char* at_ = nullptr;  // a link, or kSeveral beyond a list of them
};

// A topic that streams of this shard select, with the groups that do. There may be one for each
// stream, so the name lies behind the object, in the same allocation, and half of the hash is
// enough to find it by.
class TopicEntry {
 public:
  struct Delete {
    void operator()(TopicEntry* entry) const;
  };
  static std::unique_ptr<TopicEntry, Delete> make(const TopicView& topic);

  TopicEntry(const TopicEntry&) = delete;
  TopicEntry& operator=(const TopicEntry&) = delete;

  static std::uint32_t short_hash(const TopicView& topic) {
    return static_cast<std::uint32_t>(topic.hash);
  }
  std::uint32_t short_hash() const { return short_hash_; }

  bool is(const TopicView& topic) const {
    return short_hash(topic) == short_hash_ && topic.name == name();
  }

  // Lifetime: the entry's.
  std::string_view name() const { return {reinterpret_cast<const char*>(this + 1), name_size_}; }

  GroupLinks groups;

 private:
  explicit TopicEntry(const TopicView& topic);

  std::uint32_t short_hash_;
  std::uint32_t name_size_;
};

// Whether the ids of a stream end in a text of its own, or are the bytes that all streams share.
enum class Ids : bool { kShared, kOwn };

// The streams of one shard with the same selectors and the same grant. They get the same records,
// so a round works per group and touches the single stream only to write.
struct Group {
  static constexpr std::uint32_t kNone = std::numeric_limits<std::uint32_t>::max();

  ShortList<TopicEntry*, 3> topics;  // sorted by address, each once
  List<PatternEntry*> patterns;      // the same
  auth::GrantPtr grant;
  bool all = false;  // selects every topic; then `topics` and `patterns` are empty
  Ids ids = Ids::kShared;
  std::uint32_t users = 0;  // memberships and streams; the group ends with the last

  // Live streams, by descriptor. During a round a stream that leaves makes a hole, so that the
  // places of the others stay; they are closed after it.
  ShortList<int, 2> live;
  std::uint32_t holes = 0;
  static constexpr int kHole = -1;

  std::uint64_t sent_offset = 0;  // the newest record that its live streams were given
  std::uint32_t sent_tick = 0;    // and when

  // The current round's, see Round.
  std::uint32_t node = 0;
  std::uint32_t last_record = kNone;
  std::uint32_t place = kNone;  // in the round's list of groups that get something
};

static_assert(alignof(Group) >= 4 && alignof(std::vector<GroupLink>) >= 4,
              "a GroupLink needs two bits of an address");

// Whether the streams of a group with `grant` may see a record. The one place of this check: live
// rounds, reads from the window and reads from storage all ask here, but for a GroupLink, which
// holds the answer for one of the topics.
// `topics` are the record's.
bool may_read(const auth::Grant& grant, const EncodedRecord& record, base::AskedTopics& topics);

// Whether one of the topics and patterns of `group`, or all, selects `record`, whose topics are
// `topics`.
bool selects(const Group& group, const EncodedRecord& record, base::AskedTopics& topics);

// Puts the topics of `record` into `topics`, in place of those of another one.
//
// Lifetime: the record outlives their use.
void ask_for(const EncodedRecord& record, base::AskedTopics& topics);

// Leads from a record to the groups that select it.
//
// Threads: one, the shard's.
class TopicIndex {
 public:
  // `key` is the one that the hashes of records are made with.
  explicit TopicIndex(const log::HashKey& key) : key_(key), patterns_(key) {}
  ~TopicIndex();

  TopicIndex(const TopicIndex&) = delete;
  TopicIndex& operator=(const TopicIndex&) = delete;

  // Returns the group with these selectors, this grant (compared by address) and such ids, made if
  // need be, with one more user.
  Group& enter(const log::Selection& selection, auth::GrantPtr grant, Ids ids = Ids::kShared);

  // The topic of an entry, with its whole hash, which is computed.
  //
  // Lifetime: the entry's.
  TopicView view(const TopicEntry& entry) const {
    return {.name = entry.name(), .hash = hash_topic(key_, entry.name())};
  }

  // Ends one use of `group`. True: it was the last, and the group is gone.
  bool leave(Group& group);

  // Calls `visit(Group&, bool is_granted)` for each group that selects `record`, whose topics are
  // `topics`, perhaps more than once if several topics or patterns lead to it. `is_granted`: it may
  // read the record even if that is private; else may_read() has to say so.
  template <typename Visit>
  void for_each_group(const EncodedRecord& record, base::AskedTopics& topics, Visit visit) {
    for (std::size_t i = 0; i < record.topics.size(); ++i) {
      const auto entry =
          topics_.find(TopicView{.name = record.topics[i], .hash = record.hashes[i]});
      if (entry != topics_.end()) {
        (*entry)->groups.for_each(
            [&visit](GroupLink link) { visit(link.group(), link.is_granted()); });
      }
    }
    patterns_.for_each_match(topics, [&visit](const PatternEntry& entry) {
      for (Group* const group : entry.groups) {
        visit(*group, false);
      }
    });
    for (Group* const group : all_) {
      visit(*group, false);
    }
  }

  std::size_t topics() const { return topics_.size(); }
  std::size_t patterns() const { return patterns_.size(); }
  std::size_t groups() const { return groups_.size(); }

 private:
  struct TopicHash {
    using is_transparent = void;
    std::size_t operator()(const TopicEntry* entry) const { return entry->short_hash(); }
    std::size_t operator()(const TopicView& topic) const { return TopicEntry::short_hash(topic); }
  };
  struct TopicEqual {
    using is_transparent = void;
    bool operator()(const TopicEntry* a, const TopicEntry* b) const { return a == b; }
    bool operator()(const TopicView& a, const TopicEntry* b) const { return b->is(a); }
    bool operator()(const TopicEntry* a, const TopicView& b) const { return a->is(b); }
  };
  struct GroupHash {
    std::size_t operator()(const Group* group) const;
  };
  struct GroupEqual {
    bool operator()(const Group* a, const Group* b) const;
  };

  TopicEntry& entry(const std::string& name);

  const log::HashKey key_;
  boost::unordered_flat_set<TopicEntry*, TopicHash, TopicEqual> topics_;
  PatternIndex patterns_;
  boost::unordered_flat_set<Group*, GroupHash, GroupEqual> groups_;
  std::vector<Group*> all_;
};

}  // namespace vrelo::fanout
