// SPDX-License-Identifier: Apache-2.0
#include "hub/auth/topic_patterns.h"

namespace vrelo::auth {

CompilePattern pattern_compiler(base::TopicPatterns& patterns) {
  return [&patterns](const TopicMatcher& matcher) {
    return matcher.kind == TopicMatcher::Kind::kUriTemplate ? patterns.uri_template(matcher.text)
                                                            : patterns.url_pattern(matcher.text);
  };
}

}  // namespace vrelo::auth
