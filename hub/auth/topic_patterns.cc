// SPDX-License-Identifier: Apache-2.0
#include "hub/auth/topic_patterns.h"

#include <memory>
#include <utility>

#include "hub/auth/uri_template.h"

namespace vrelo::auth {
namespace {

class UrlTopics final : public TopicPattern {
 public:
  explicit UrlTopics(base::UrlPatternPtr pattern) : pattern_(std::move(pattern)) {}

  bool matches(base::AskedTopic& topic) const override {
    const base::TopicUrl* const url = topic.url(pattern_->base());
    return url != nullptr && pattern_->may_match(*url) && pattern_->matches(*url);
  }

 private:
  const base::UrlPatternPtr pattern_;
};

}  // namespace

CompilePattern pattern_compiler(base::UrlPatterns& patterns) {
  return [&patterns](const TopicMatcher& matcher) -> TopicPatternPtr {
    if (matcher.kind == TopicMatcher::Kind::kUriTemplate) {
      return UriTemplate::make(matcher.text);
    }
    auto pattern = patterns.get(matcher.text);
    return pattern == nullptr ? nullptr : std::make_shared<const UrlTopics>(std::move(pattern));
  };
}

}  // namespace vrelo::auth
