// SPDX-License-Identifier: Apache-2.0
#include "hub/log/memory/removed_topics.h"

#include <algorithm>
#include <cassert>
#include <utility>

namespace vrelo::log::memory {

RemovedTopics::RemovedTopics(std::size_t topics_max)
    : half_max_(std::max<std::size_t>(topics_max / 2, 1)) {}

void RemovedTopics::add(std::uint64_t topic_hash, std::uint64_t offset) {
  assert(offset >= newest_);
  if (recent_.size() == half_max_ && recent_.find(topic_hash) == nullptr) {
    forgotten_newest_ = older_newest_;
    older_newest_ = newest_;
    older_ = std::exchange(recent_, {});
  }
  recent_[topic_hash] = offset;
  newest_ = offset;
}

std::uint64_t RemovedTopics::last(std::uint64_t topic_hash) const {
  for (const HashMap<std::uint64_t>* const generation : {&recent_, &older_}) {
    if (const std::uint64_t* const offset = generation->find(topic_hash)) {
      return *offset;
    }
  }
  return forgotten_newest_;
}

}  // namespace vrelo::log::memory
