// SPDX-License-Identifier: Apache-2.0
#include "hub/log/event_filter.h"

#include <algorithm>

namespace vrelo::log {

bool EventFilter::wants(std::span<const std::string> topics) {
  if (selection_.all) {
    return true;
  }
  const auto& listed = selection_.topics;
  return std::find_first_of(topics.begin(), topics.end(), listed.begin(), listed.end()) !=
             topics.end() ||
         std::any_of(topics.begin(), topics.end(),
                     [this](const std::string& topic) { return matches(topic); });
}

bool EventFilter::matches(const std::string& topic) {
  base::AskedTopic asked(topic);
  return std::any_of(
      selection_.patterns.begin(), selection_.patterns.end(),
      [&asked](const base::TopicPatternPtr& pattern) { return pattern->matches(asked); });
}

}  // namespace vrelo::log
