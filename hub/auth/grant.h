// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "hub/base/url_pattern.h"

namespace vrelo::auth {

// What one request may do. It is made when the request is authorized and never changes after.
//
// Lifetime: shared by the streams that it opened; requests with equal rights should share one
// Grant, because fan-out groups readers by the Grant's address.
// Threads: any.
struct Grant {
  // A set of topics: all of them, or those listed, compared byte for byte, and those that one of
  // the patterns matches.
  struct Topics {
    bool all = false;
    std::vector<std::string> listed = {};
    std::vector<base::TopicPatternPtr> patterns = {};

    bool covers(base::AskedTopic& topic) const {
      return all || std::find(listed.begin(), listed.end(), topic.text()) != listed.end() ||
             std::any_of(patterns.begin(), patterns.end(),
                         [&topic](const base::TopicPatternPtr& pattern) {
                           return pattern->matches(topic);
                         });
    }

    bool covers(const std::string& topic) const {
      base::AskedTopic asked(topic);
      return covers(asked);
    }
  };

  Topics publish = {};
  Topics read_private = {};  // public events may be read by everyone

  // A publisher needs the right to each of the event's topics.
  bool may_publish(std::span<const std::string> topics) const {
    return std::all_of(topics.begin(), topics.end(),
                       [this](const std::string& topic) { return publish.covers(topic); });
  }

  // A private event may be read with the right to any one of its topics, whichever led to the
  // reader. Who asks for several grants keeps the topics in between.
  bool may_read_private(base::AskedTopics& topics) const {
    return std::any_of(topics.begin(), topics.end(),
                       [this](base::AskedTopic& topic) { return read_private.covers(topic); });
  }
  bool may_read_private(std::span<const std::string> topics) const {
    return std::any_of(topics.begin(), topics.end(),
                       [this](const std::string& topic) { return read_private.covers(topic); });
  }
};

using GrantPtr = std::shared_ptr<const Grant>;

}  // namespace vrelo::auth
