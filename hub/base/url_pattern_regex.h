// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace re2 {
class RE2;
}

namespace vrelo::base {

// RE2 as Ada's engine for the regular expressions in URL patterns: linear time, little memory.
//
// Source: the concept ada::url_pattern_regex::regex_concept. The names are Ada's.
// Threads: any.
class UrlPatternRegex {
 public:
  using regex_type = std::shared_ptr<const re2::RE2>;

  // nullopt: `pattern` is no regular expression of ECMAScript, one that re2_syntax() leaves out, or
  // one that takes too much memory.
  static std::optional<regex_type> create_instance(std::string_view pattern, bool ignore_case);

  // Returns what the groups of `regex` have in the whole of `input`, each nullopt if it took no
  // part; nullopt: no match.
  static std::optional<std::vector<std::optional<std::string>>> regex_search(
      std::string_view input, const regex_type& regex);

  static bool regex_match(std::string_view input, const regex_type& regex);
};

}  // namespace vrelo::base
