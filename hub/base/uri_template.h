// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "hub/base/url_pattern.h"

namespace re2 {
class RE2;
}

namespace vrelo::base {

// A set of topics as Mercure 0.x writes it: those that the template could expand to. A topic that
// is written like the template is not one of them; who asks compares before.
//
// Cost: linear in the topic, whatever the template is.
// Source: draft-dunglas-mercure-07, section 3, which names RFC 6570 and leaves open what it is to
// match. Here: each operator's separators are looked at, but names, lengths and that variables have
// a value are not, so that an expression also matches nothing at all.
class UriTemplate final : public TopicPattern {
 public:
  // Returns whether `text` is a template: it has an expression, none that RFC 6570 does not allow
  // or reserves, and no character that must not be in one.
  static bool is_template(std::string_view text);

  // Returns nullptr if `text` is no template, or one with so many variables that matching them
  // would take too much memory.
  //
  // Cost: some ten microseconds; the memory is in proportion to the text, at most 64 KiB beyond.
  static std::shared_ptr<const UriTemplate> make(std::string_view text);

  ~UriTemplate() override;

  using TopicPattern::matches;
  bool matches(AskedTopic& topic) const override;

  // What all topics that it matches begin with, for an index ("": nothing).
  const std::string& fixed_beginning() const { return fixed_beginning_; }

 private:
  struct Parts;
  UriTemplate(std::string_view text, const Parts& parts, std::unique_ptr<re2::RE2> regex);

  std::string fixed_beginning_;
  std::string fixed_text_;  // somewhere in all topics that it matches
  std::unique_ptr<re2::RE2> regex_;
};

}  // namespace vrelo::base
