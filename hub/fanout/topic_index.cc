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

bool may_read(const auth::Grant& grant, const EncodedRecord& record) {
  return !record.is_private || grant.may_read_private(record.topics);
}

std::unique_ptr<TopicEntry, TopicEntry::Delete> TopicEntry::make(const TopicView& topic) {
  void* const memory = ::operator new(sizeof(TopicEntry) + topic.name.size());
  auto* const entry = new (memory) TopicEntry(topic.hash, topic.name.size());
  std::memcpy(static_cast<void*>(entry + 1), topic.name.data(), topic.name.size());
  return std::unique_ptr<TopicEntry, Delete>(entry);
}

void TopicEntry::Delete::operator()(TopicEntry* entry) const {
  entry->~TopicEntry();
  ::operator delete(entry);
}

std::size_t TopicIndex::GroupHash::operator()(const Group* group) const {
  std::size_t seed = group->all ? 1 : 0;
  boost::hash_combine(seed, group->grant.get());
  for (const TopicEntry* const topic : group->topics) {
    boost::hash_combine(seed, topic->view().hash);
  }
  return seed;
}

bool TopicIndex::GroupEqual::operator()(const Group* a, const Group* b) const {
  return a->all == b->all && a->grant == b->grant && a->topics == b->topics;
}

TopicIndex::~TopicIndex() {
  assert(groups_.empty() && topics_.empty() && all_.empty());
}

Group& TopicIndex::enter(const log::Selection& selection, auth::GrantPtr grant) {
  assert(grant != nullptr);
  auto wanted = std::make_unique<Group>();
  wanted->all = selection.all;
  wanted->grant = std::move(grant);
  if (!selection.all) {
    for (const std::string& topic : selection.topics) {
      wanted->topics.push_back(&entry(topic));
    }
    std::sort(wanted->topics.begin(), wanted->topics.end());
    wanted->topics.erase(std::unique(wanted->topics.begin(), wanted->topics.end()),
                         wanted->topics.end());
  }

  const auto [at, is_new] = groups_.insert(wanted.get());
  Group& group = **at;
  ++group.users;
  if (is_new) {
    static_cast<void>(wanted.release());  // leave() deletes it
    for (TopicEntry* const topic : group.topics) {
      topic->groups.push_back(&group);
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
    auto& groups = topic->groups;
    *std::find(groups.begin(), groups.end(), &group) = groups.back();
    groups.pop_back();
    if (groups.empty()) {
      topics_.erase(topic);
      TopicEntry::Delete()(topic);
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
