// SPDX-License-Identifier: Apache-2.0
#include "hub/base/topic_patterns.h"

#include <algorithm>

#include "hub/base/uri_template.h"

namespace vrelo::base {

TopicPatternPtr TopicPatterns::url_pattern(std::string_view text) {
  return get({Kind::kUrlPattern, std::string(text)});
}

TopicPatternPtr TopicPatterns::uri_template(std::string_view text) {
  return get({Kind::kUriTemplate, std::string(text)});
}

std::size_t TopicPatterns::size() const {
  const std::lock_guard lock(mutex_);
  return known_.size();
}

TopicPatternPtr TopicPatterns::get(Name name) {
  {
    const std::lock_guard lock(mutex_);
    if (auto known = find(name)) {
      return known;
    }
  }
  // Without the lock, since it takes a while; who else does the same meanwhile may be first.
  auto made = make(name);
  if (made == nullptr) {
    return nullptr;
  }
  const std::lock_guard lock(mutex_);
  if (auto known = find(name)) {
    return known;
  }
  known_.insert_or_assign(std::move(name), made);
  forget_unused();
  return made;
}

TopicPatternPtr TopicPatterns::make(const Name& name) const {
  if (name.first == Kind::kUriTemplate) {
    return UriTemplate::make(name.second);
  }
  return UrlPattern::make(name.second, base_);
}

TopicPatternPtr TopicPatterns::find(const Name& name) const {
  const auto found = known_.find(name);
  return found == known_.end() ? nullptr : found->second.lock();
}

// Looks through all of them each time their number has doubled.
void TopicPatterns::forget_unused() {
  if (known_.size() < sweep_at_) {
    return;
  }
  std::erase_if(known_, [](const auto& entry) { return entry.second.expired(); });
  sweep_at_ = std::max(kSweepMin, 2 * known_.size());
}

}  // namespace vrelo::base
