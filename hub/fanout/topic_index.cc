// SPDX-License-Identifier: Apache-2.0
#include "hub/fanout/topic_index.h"

#include <algorithm>
#include <cassert>
#include <cstring>
#include <functional>
#include <new>
#include <utility>

#include <boost/container_hash/hash.hpp>

namespace vrelo::fanout {
namespace {

template <typename Entries>
void sort_and_unite(Entries& entries) {
  std::sort(entries.begin(), entries.end());
  entries.erase(std::unique(entries.begin(), entries.end()), entries.end());
}

// Whether `grant` covers private events of the topic, whatever others they have.
bool is_granted(const auth::Grant& grant, std::string_view topic) {
  const auth::Grant::Topics& granted = grant.read_private;
  return granted.all || ((!granted.listed.empty() || !granted.patterns.empty()) &&
                         granted.covers(std::string(topic)));
}

}  // namespace

void GroupLinks::add(GroupLink link) {
  if (at_ == nullptr) {
    at_ = link.at_;
  } else if (are_several()) {
    several().push_back(link);
  } else {
    at_ = reinterpret_cast<char*>(new Several{GroupLink(at_), link}) + kSeveral;
  }
}

bool GroupLinks::remove(const Group& group) {
  assert(at_ != nullptr);
  if (!are_several()) {
    assert(&GroupLink(at_).group() == &group);
    at_ = nullptr;
    return true;
  }
  Several& links = several();
  const auto found = std::find_if(links.begin(), links.end(),
                                  [&group](GroupLink link) { return &link.group() == &group; });
  assert(found != links.end());
  *found = links.back();
  links.pop_back();
  if (links.size() == 1) {
    at_ = links.front().at_;
    delete &links;
  }
  return false;
}

bool may_read(const auth::Grant& grant, const EncodedRecord& record, base::AskedTopics& topics) {
  return !record.is_private || grant.may_read_private(topics);
}

void ask_for(const EncodedRecord& record, base::AskedTopics& topics) {
  topics.clear();
  for (const std::string& topic : record.topics) {
    topics.emplace_back(topic);
  }
}

bool selects(const Group& group, const EncodedRecord& record, base::AskedTopics& topics) {
  if (group.all) {
    return true;
  }
  const auto is_record_topic = [&record](const TopicEntry* entry) {
    for (std::size_t i = 0; i < record.topics.size(); ++i) {
      if (entry->is({.name = record.topics[i], .hash = record.hashes[i]})) {
        return true;
      }
    }
    return false;
  };
  const auto is_matched = [&group](base::AskedTopic& topic) {
    return std::any_of(
        group.patterns.begin(), group.patterns.end(),
        [&topic](const PatternEntry* entry) { return entry->pattern->matches(topic); });
  };
  return std::any_of(group.topics.begin(), group.topics.end(), is_record_topic) ||
         std::any_of(topics.begin(), topics.end(), is_matched);
}

TopicEntry::TopicEntry(const TopicView& topic)
    : short_hash_(short_hash(topic)), name_size_(static_cast<std::uint32_t>(topic.name.size())) {
  assert(name_size_ == topic.name.size());
}

std::unique_ptr<TopicEntry, TopicEntry::Delete> TopicEntry::make(const TopicView& topic) {
  void* const memory = ::operator new(sizeof(TopicEntry) + topic.name.size());
  auto* const entry = new (memory) TopicEntry(topic);
  std::memcpy(static_cast<void*>(entry + 1), topic.name.data(), topic.name.size());
  return std::unique_ptr<TopicEntry, Delete>(entry);
}

void TopicEntry::Delete::operator()(TopicEntry* entry) const {
  entry->~TopicEntry();
  ::operator delete(entry);
}

std::size_t TopicIndex::GroupHash::operator()(const Group* group) const {
  std::size_t seed = (group->all ? 1U : 0U) + (group->ids == Ids::kOwn ? 2U : 0U);
  boost::hash_combine(seed, group->grant.get());
  for (const TopicEntry* const topic : group->topics) {
    boost::hash_combine(seed, topic->short_hash());
  }
  for (const PatternEntry* const pattern : group->patterns) {
    boost::hash_combine(seed, pattern);
  }
  return seed;
}

bool TopicIndex::GroupEqual::operator()(const Group* a, const Group* b) const {
  return a->all == b->all && a->ids == b->ids && a->grant == b->grant && a->topics == b->topics &&
         a->patterns == b->patterns;
}

TopicIndex::~TopicIndex() {
  assert(groups_.empty() && topics_.empty() && patterns_.size() == 0 && all_.empty());
}

Group& TopicIndex::enter(const log::Selection& selection, auth::GrantPtr grant, Ids ids) {
  assert(grant != nullptr);
  auto wanted = std::make_unique<Group>();
  wanted->all = selection.all;
  wanted->ids = ids;
  wanted->grant = std::move(grant);
  if (!selection.all) {
    for (const std::string& topic : selection.topics) {
      wanted->topics.push_back(&entry(topic));
    }
    for (const base::TopicPatternPtr& pattern : selection.patterns) {
      wanted->patterns.push_back(&patterns_.entry(pattern));
    }
    sort_and_unite(wanted->topics);
    sort_and_unite(wanted->patterns);
  }

  const auto [at, is_new] = groups_.insert(wanted.get());
  Group& group = **at;
  ++group.users;
  if (is_new) {
    static_cast<void>(wanted.release());  // leave() deletes it
    for (TopicEntry* const topic : group.topics) {
      topic->groups.add({group, is_granted(*group.grant, topic->name())});
    }
    for (PatternEntry* const pattern : group.patterns) {
      pattern->groups.push_back(&group);
    }
    if (group.all) {
      all_.push_back(&group);
    }
  }
  return group;
}

bool TopicIndex::leave(Group& group) {
  assert(group.users > 0);
  if (--group.users > 0) {
    return false;
  }
  assert(group.live.size() == group.holes);
  groups_.erase(&group);
  for (TopicEntry* const topic : group.topics) {
    if (topic->groups.remove(group)) {
      topics_.erase(topic);
      TopicEntry::Delete()(topic);
    }
  }
  for (PatternEntry* const pattern : group.patterns) {
    std::erase(pattern->groups, &group);
    if (pattern->groups.empty()) {
      patterns_.remove(*pattern);
    }
  }
  if (group.all) {
    std::erase(all_, &group);
  }
  delete &group;
  return true;
}

TopicEntry& TopicIndex::entry(const std::string& name) {
  const TopicView view{.name = name, .hash = hash_topic(key_, name)};
  if (const auto found = topics_.find(view); found != topics_.end()) {
    return **found;
  }
  auto made = TopicEntry::make(view);
  topics_.insert(made.get());
  return *made.release();
}

}  // namespace vrelo::fanout
