// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>

#include "hub/base/url_pattern.h"

namespace vrelo::base {

// Compiles each pattern once, as long as somebody has it, so that equal ones are one object.
//
// Threads: any. The lock is for when a stream opens or a token is judged, never for an event.
class TopicPatterns {
 public:
  // URL patterns are references from `base`.
  explicit TopicPatterns(std::shared_ptr<const UrlBase> base) : base_(std::move(base)) {}

  TopicPatterns(const TopicPatterns&) = delete;
  TopicPatterns& operator=(const TopicPatterns&) = delete;

  const std::shared_ptr<const UrlBase>& base() const { return base_; }

  // Returns the UrlPattern that is written so. nullptr: see UrlPattern::make().
  TopicPatternPtr url_pattern(std::string_view text);

  // Returns the UriTemplate that is written so. nullptr: see UriTemplate::make().
  TopicPatternPtr uri_template(std::string_view text);

  // How many are known; some may be nobody's any more, but at most as many as are somebody's, and
  // a few.
  std::size_t size() const;

 private:
  enum class Kind { kUrlPattern, kUriTemplate };
  using Name = std::pair<Kind, std::string>;

  TopicPatternPtr get(Name name);
  TopicPatternPtr make(const Name& name) const;
  TopicPatternPtr find(const Name& name) const;  // needs the lock
  void forget_unused();                          // needs the lock

  const std::shared_ptr<const UrlBase> base_;
  mutable std::mutex mutex_;
  std::map<Name, std::weak_ptr<const TopicPattern>> known_;
  std::size_t sweep_at_ = kSweepMin;  // how many known_ holds when those of nobody are removed

  static constexpr std::size_t kSweepMin = 64;
};

}  // namespace vrelo::base
