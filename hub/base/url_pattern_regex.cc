// SPDX-License-Identifier: Apache-2.0
#include "hub/base/url_pattern_regex.h"

#include <cstddef>
#include <cstdint>

#include <re2/re2.h>

#include "hub/base/ecmascript_regex.h"

namespace vrelo::base {
namespace {

// A program takes 8 bytes an instruction, and literal text is one a character; the rest is for what
// RE2 learns while it matches. When that is used up it goes on, only slower.
constexpr std::int64_t kProgramMemory = std::int64_t{32} << 10;
constexpr std::int64_t kProgramMemoryPerByte = 128;

re2::StringPiece piece(std::string_view text) {
  return {text.data(), text.size()};
}

bool match(const re2::RE2& regex,
           std::string_view input,
           re2::StringPiece* groups = nullptr,
           int groups_size = 0) {
  return regex.Match(piece(input), 0, input.size(), re2::RE2::ANCHOR_BOTH, groups, groups_size);
}

}  // namespace

std::optional<UrlPatternRegex::regex_type> UrlPatternRegex::create_instance(
    std::string_view pattern, bool ignore_case) {
  const auto syntax = re2_syntax(pattern);
  if (!syntax) {
    return std::nullopt;
  }
  re2::RE2::Options options(re2::RE2::Latin1);  // the parts of a URL are ASCII
  options.set_log_errors(false);
  options.set_case_sensitive(!ignore_case);
  options.set_max_mem(kProgramMemory +
                      kProgramMemoryPerByte * static_cast<std::int64_t>(pattern.size()));
  auto regex = std::make_shared<const re2::RE2>(piece(*syntax), options);
  if (!regex->ok()) {
    return std::nullopt;
  }
  return regex;
}

std::optional<std::vector<std::optional<std::string>>> UrlPatternRegex::regex_search(
    std::string_view input, const regex_type& regex) {
  std::vector<re2::StringPiece> groups(static_cast<std::size_t>(regex->NumberOfCapturingGroups()) +
                                       1);
  if (!match(*regex, input, groups.data(), static_cast<int>(groups.size()))) {
    return std::nullopt;
  }
  std::vector<std::optional<std::string>> found;
  for (std::size_t i = 1; i < groups.size(); ++i) {
    found.push_back(groups[i].data() == nullptr ? std::nullopt
                                                : std::optional(groups[i].as_string()));
  }
  return found;
}

bool UrlPatternRegex::regex_match(std::string_view input, const regex_type& regex) {
  return match(*regex, input);
}

}  // namespace vrelo::base
