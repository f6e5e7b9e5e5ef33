// SPDX-License-Identifier: Apache-2.0
#include "hub/base/url_pattern.h"

#include <algorithm>
#include <cassert>

#include <ada.h>
#include <re2/re2.h>

#include "hub/base/ecmascript_reader.h"
#include "hub/base/text.h"
#include "hub/base/url_pattern_regex.h"

namespace vrelo::base {
namespace {

using Pattern = ada::url_pattern<UrlPatternRegex>;
using Component = ada::url_pattern_component<UrlPatternRegex>;
using ComponentType = ada::url_pattern_component_type;

std::optional<Pattern> compile(std::string_view text, const std::string_view* base) {
  // Without options letters count in their case.
  auto pattern = ada::parse_url_pattern<UrlPatternRegex>(text, base);
  return pattern ? std::optional(*std::move(pattern)) : std::nullopt;
}

// What is no plain text in a pattern.
constexpr std::string_view kSigns = ":*(){}+?\\";

// Returns the one text that the component matches, if it is so simple.
std::optional<std::string> whole_text(const Component& component) {
  switch (component.type) {
    case ComponentType::EMPTY:
      return "";
    case ComponentType::EXACT_MATCH:
      return component.exact_match_value;
    default:
      return std::nullopt;
  }
}

// Returns the segments before the first one that is not plain text. What is optional or repeated
// may have the slash before it as its own: a fixed segment is followed by a slash or the end.
std::string fixed_segments(const Component& path) {
  if (const auto text = whole_text(path)) {
    return text->starts_with('/') ? *text : "";
  }
  const std::string_view pattern = path.pattern;
  const std::size_t end = std::min(pattern.find_first_of(kSigns), pattern.size());
  const std::size_t slash = pattern.substr(0, end).rfind('/');
  return pattern.starts_with('/') ? std::string(pattern.substr(0, slash)) : "";
}

// Returns where what begins with a sign at `begin` ends: a name, or what stands in parentheses or
// braces, or the sign itself.
std::size_t end_of_sign(std::string_view pattern, std::size_t begin) {
  std::size_t at = begin + 1;
  if (pattern[begin] == ':') {
    const auto is_in_name = [](char c) {
      return is_letter(c) || is_digit(c) || c == '_' || c == '$' ||
             static_cast<unsigned char>(c) >= 0x80;
    };
    return static_cast<std::size_t>(
        std::find_if_not(pattern.begin() + static_cast<std::ptrdiff_t>(at), pattern.end(),
                         is_in_name) -
        pattern.begin());
  }
  if (pattern[begin] == '\\') {
    return std::min(at + 1, pattern.size());
  }
  if (pattern[begin] != '(' && pattern[begin] != '{') {
    return at;
  }
  for (std::size_t depth = 1; depth > 0 && at < pattern.size(); ++at) {
    const char c = pattern[at];
    depth += c == '(' || c == '{' ? 1 : 0;
    depth -= c == ')' || c == '}' ? 1 : 0;
    at += c == '\\' ? 1 : 0;
  }
  return std::min(at, pattern.size());
}

// Returns the longest text outside of all signs. A slash before one may be a part of what is
// optional.
std::string longest_text(const Component& path) {
  if (const auto text = whole_text(path)) {
    return *text;
  }
  const std::string_view pattern = path.pattern;
  std::string_view longest;
  for (std::size_t at = 0; at < pattern.size();) {
    const std::size_t sign = std::min(pattern.find_first_of(kSigns, at), pattern.size());
    std::string_view text = pattern.substr(at, sign - at);
    if (sign < pattern.size() && text.ends_with('/')) {
      text.remove_suffix(1);
    }
    longest = text.size() > longest.size() ? text : longest;
    at = sign < pattern.size() ? end_of_sign(pattern, sign) : sign;
  }
  return std::string(longest);
}

}  // namespace

struct UrlBase::Url {
  ada::url_aggregator url;
};

std::shared_ptr<const UrlBase> UrlBase::make(std::string_view url) {
  auto parsed = ada::parse<ada::url_aggregator>(url);
  if (!parsed) {
    return nullptr;
  }
  return std::shared_ptr<const UrlBase>(
      new UrlBase(std::make_unique<const Url>(Url{*std::move(parsed)})));
}

UrlBase::UrlBase(std::unique_ptr<const Url> url) : url_(std::move(url)) {}

UrlBase::~UrlBase() = default;

bool TopicUrl::read(std::string_view topic, const UrlBase& base) {
  parts_ = {};
  const auto url = ada::parse<ada::url_aggregator>(topic, &base.url_->url);
  if (!url) {
    return false;
  }
  const std::string_view whole = url->get_href();
  text_.assign(whole);
  const auto part = [this, whole](std::string_view view) {
    // An empty one may be of nowhere.
    return view.empty() ? std::string_view()
                        : std::string_view(text_).substr(
                              static_cast<std::size_t>(view.data() - whole.data()), view.size());
  };
  const auto without_first = [&part](std::string_view view) {
    return part(view.substr(std::min<std::size_t>(view.size(), 1)));
  };
  const std::string_view protocol = url->get_protocol();
  parts_ = {.protocol = part(protocol.substr(0, protocol.size() - 1)),
            .username = part(url->get_username()),
            .password = part(url->get_password()),
            .host = part(url->get_hostname()),
            .port = part(url->get_port()),
            .path = part(url->get_pathname()),
            .query = without_first(url->get_search()),
            .fragment = without_first(url->get_hash())};
  return true;
}

struct UrlPattern::Compiled {
  Pattern pattern;
};

std::shared_ptr<const UrlPattern> UrlPattern::make(std::string_view text,
                                                   std::shared_ptr<const UrlBase> base) {
  assert(base != nullptr);
  if (text.size() > kUrlPatternBytesMax || !is_utf8(text)) {
    return nullptr;
  }
  // The base is not given where it is not needed: it would make "urn\:uuid\:*" a path of the hub's.
  auto pattern = compile(text, nullptr);
  if (!pattern) {
    const std::string_view base_text = base->url_->url.get_href();
    pattern = compile(text, &base_text);
  }
  if (!pattern) {
    return nullptr;
  }
  return std::shared_ptr<const UrlPattern>(new UrlPattern(
      text, std::move(base), std::make_unique<const Compiled>(Compiled{*std::move(pattern)})));
}

UrlPattern::UrlPattern(std::string_view text,
                       std::shared_ptr<const UrlBase> base,
                       std::unique_ptr<const Compiled> compiled)
    : TopicPattern(text),
      base_(std::move(base)),
      compiled_(std::move(compiled)),
      fixed_host_(whole_text(compiled_->pattern.hostname_component)),
      fixed_path_(fixed_segments(compiled_->pattern.pathname_component)),
      fixed_text_(longest_text(compiled_->pattern.pathname_component)) {}

UrlPattern::~UrlPattern() = default;

bool UrlPattern::matches(const TopicUrl& topic) const {
  const TopicUrl::Parts& parts = topic.parts();
  return compiled_->pattern.test_components(parts.protocol, parts.username, parts.password,
                                            parts.host, parts.port, parts.path, parts.query,
                                            parts.fragment);
}

bool UrlPattern::matches(AskedTopic& topic) const {
  const TopicUrl* const url = topic.url(*base_);
  return url != nullptr && may_match(*url) && matches(*url);
}

bool UrlPattern::may_match(const TopicUrl& topic) const {
  const std::string_view path = topic.parts().path;
  const std::size_t size = fixed_path_.size();
  return (!fixed_host_ || *fixed_host_ == topic.parts().host) &&
         (size == 0 ||
          (path.starts_with(fixed_path_) && (path.size() == size || path[size] == '/'))) &&
         path.find(fixed_text_) != std::string_view::npos;
}

}  // namespace vrelo::base
