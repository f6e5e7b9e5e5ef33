// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string>

#include "hub/base/url_pattern.h"
#include "hub/log/log.h"

namespace vrelo::log {

// Tells which events a selection wants: the one place where that is decided for history.
//
// Threads: one.
// Lifetime: the selection outlives it.
// Cost: linear in the selection. Where it has patterns, each topic is parsed as a URL, which
// allocates.
class EventFilter {
 public:
  explicit EventFilter(const Selection& selection) : selection_(selection) {}

  // Whether it wants an event with these topics.
  bool wants(std::span<const std::string> topics);

 private:
  bool matches(const std::string& topic);

  const Selection& selection_;
};

}  // namespace vrelo::log
