// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "hub/auth/grant.h"

namespace re2 {
class RE2;
}

namespace vrelo::auth {

// A set of topics as Mercure 0.x writes it: those that the template could expand to. A topic that
// is written like the template is not one of them; who asks compares before.
//
// Threads: any.
// Cost: linear in the topic, whatever the template is.
// Source: draft-dunglas-mercure-07, section 3, which names RFC 6570 and leaves open what it is to
// match. Here: each operator's separators are looked at, but names, lengths and that variables have
// a value are not, so that an expression also matches nothing at all.
class UriTemplate final : public TopicPattern {
 public:
  // Returns nullptr if `text` is no template: it has no expression, one that RFC 6570 does not
  // allow or reserves, a character that must not be in one, or so many variables that matching them
  // would take too much memory.
  static std::shared_ptr<const UriTemplate> make(std::string_view text);

  ~UriTemplate() override;

  using TopicPattern::matches;
  bool matches(base::AskedTopic& topic) const override;

 private:
  explicit UriTemplate(std::unique_ptr<re2::RE2> regex);

  std::unique_ptr<re2::RE2> regex_;
};

}  // namespace vrelo::auth
