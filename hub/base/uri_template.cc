// SPDX-License-Identifier: Apache-2.0
#include "hub/base/uri_template.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>

#include <fmt/format.h>
#include <re2/re2.h>

#include "hub/base/text.h"

namespace vrelo::base {
namespace {

// What an expression begins with and how it expands. Source: RFC 6570, 3.2 and appendix A.
struct Operator {
  std::string_view first;
  std::string_view separator;
  char name;             // '\0': none
  bool has_names;        // as in "?name=value"
  bool allows_reserved;  // values are not percent-encoded where they need not be
};

constexpr Operator kOperators[] = {
    {"", ",", '\0', false, false},     {"", ",", '+', false, true},   {"#", ",", '#', false, true},
    {"\\.", "\\.", '.', false, false}, {"/", "/", '/', false, false}, {";", ";", ';', true, false},
    {"\\?", "&", '?', true, false},    {"&", "&", '&', true, false},
};

// What values are made of. A comma stands between the parts of a list.
constexpr std::string_view kUnreserved = "A-Za-z0-9\\-._~,";
constexpr std::string_view kReserved = ":/?#\\[\\]@!$&'()*+;=";

constexpr std::string_view kForbidden = "\"'%<>\\^`{|} ";

// RE2's: for its program, and for what it learns while it matches. When the latter is used up it
// goes on, only slower.
constexpr std::int64_t kMemoryBase = std::int64_t{64} << 10;
constexpr std::int64_t kMemoryPerByte = 256;

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

bool is_hex(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

// Returns whether `text` begins with a percent-encoded byte.
bool is_encoded_byte(std::string_view text) {
  return text.size() >= 3 && text[0] == '%' && is_hex(text[1]) && is_hex(text[2]);
}

// Source: RFC 6570, 2.3, varname.
bool is_name(std::string_view text) {
  bool after_dot = true;  // none at the beginning, at the end, or twice
  while (!text.empty()) {
    const char c = text[0];
    if (c == '.') {
      if (after_dot) {
        return false;
      }
      after_dot = true;
      text.remove_prefix(1);
      continue;
    }
    const bool encoded = is_encoded_byte(text);
    if (!encoded && !is_digit(c) && !(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z') &&
        c != '_') {
      return false;
    }
    after_dot = false;
    text.remove_prefix(encoded ? 3 : 1);
  }
  return !after_dot;
}

// Source: RFC 6570, 2.4.1, max-length.
bool is_length(std::string_view text) {
  return !text.empty() && text.size() <= 4 && text[0] != '0' &&
         std::all_of(text.begin(), text.end(), is_digit);
}

// Reads one variable with its modifier. Returns whether it is exploded; nullopt: it is none.
std::optional<bool> read_variable(std::string_view text) {
  if (text.ends_with('*')) {
    text.remove_suffix(1);
    return is_name(text) ? std::optional(true) : std::nullopt;
  }
  const auto colon = text.find(':');
  if (colon != std::string_view::npos && !is_length(text.substr(colon + 1))) {
    return std::nullopt;
  }
  return is_name(text.substr(0, colon)) ? std::optional(false) : std::nullopt;
}

// Returns the regular expression of what stands between two braces; nullopt: it is none.
std::optional<std::string> read_expression(std::string_view text) {
  const Operator* kind = &kOperators[0];
  for (const Operator& candidate : kOperators) {
    if (!text.empty() && candidate.name != '\0' && text[0] == candidate.name) {
      kind = &candidate;
    }
  }
  text.remove_prefix(kind->name == '\0' ? 0 : 1);

  std::size_t variables = 0;
  bool exploded = false;
  for (bool more = true; more; ++variables) {
    const auto comma = text.find(',');
    const auto variable = read_variable(text.substr(0, comma));
    if (!variable) {
      return std::nullopt;
    }
    exploded |= *variable;
    more = comma != std::string_view::npos;
    text.remove_prefix(more ? comma + 1 : text.size());
  }

  std::string set(kUnreserved);
  if (kind->allows_reserved) {
    set += kReserved;
  } else if (kind->has_names || exploded) {
    set += '=';
  }
  const std::string item = fmt::format("(?:[{}]|%[0-9A-Fa-f]{{2}})*", set);
  if (kUnreserved.find(kind->separator.back()) != std::string_view::npos) {
    return fmt::format("(?:{}{})?", kind->first, item);  // one value may be written as many are
  }
  const std::string times = exploded ? "*" : fmt::format("{{0,{}}}", variables - 1);
  return fmt::format("(?:{}{}(?:{}{}){})?", kind->first, item, kind->separator, item, times);
}

// Returns the literal text that `text` begins with; nullopt: it has what must not be there.
std::optional<std::string_view> read_literal(std::string_view text) {
  std::size_t size = 0;
  while (size < text.size() && text[size] != '{') {
    if (is_encoded_byte(text.substr(size))) {
      size += 3;
      continue;
    }
    const auto byte = static_cast<unsigned char>(text[size]);
    if (byte < 0x20 || byte == 0x7F || kForbidden.find(text[size]) != std::string_view::npos) {
      return std::nullopt;
    }
    ++size;
  }
  return text.substr(0, size);
}

}  // namespace

// What a template is made of.
struct UriTemplate::Parts {
  std::string_view beginning = {};  // the text before the first expression
  std::string_view longest = {};    // and the longest one after it
  std::string regex = {};           // matches what the template expands to

  // Returns nullopt if `text` is no template.
  static std::optional<Parts> of(std::string_view text);
};

std::optional<UriTemplate::Parts> UriTemplate::Parts::of(std::string_view text) {
  if (!is_utf8(text)) {
    return std::nullopt;
  }
  Parts parts;
  bool has_expression = false;
  while (!text.empty()) {
    const auto literal = read_literal(text);
    if (!literal) {
      return std::nullopt;
    }
    parts.regex += re2::RE2::QuoteMeta(re2::StringPiece(literal->data(), literal->size()));
    if (!has_expression) {
      parts.beginning = *literal;
    } else if (literal->size() > parts.longest.size()) {
      parts.longest = *literal;
    }
    text.remove_prefix(literal->size());
    if (text.empty()) {
      break;
    }
    const auto end = text.find('}');
    if (end == std::string_view::npos) {
      return std::nullopt;
    }
    const auto expression = read_expression(text.substr(1, end - 1));
    if (!expression) {
      return std::nullopt;
    }
    has_expression = true;
    parts.regex += *expression;
    text.remove_prefix(end + 1);
  }
  return has_expression ? std::optional(std::move(parts)) : std::nullopt;
}

bool UriTemplate::is_template(std::string_view text) {
  return Parts::of(text).has_value();
}

std::shared_ptr<const UriTemplate> UriTemplate::make(std::string_view text) {
  const auto parts = Parts::of(text);
  if (!parts) {
    return nullptr;
  }
  re2::RE2::Options options(re2::RE2::Latin1);  // bytes: literal text is compared, not understood
  options.set_log_errors(false);
  options.set_max_mem(kMemoryBase + kMemoryPerByte * static_cast<std::int64_t>(text.size()));
  auto compiled = std::make_unique<re2::RE2>(parts->regex, options);
  if (!compiled->ok()) {
    return nullptr;
  }
  return std::shared_ptr<const UriTemplate>(new UriTemplate(text, *parts, std::move(compiled)));
}

UriTemplate::UriTemplate(std::string_view text, const Parts& parts, std::unique_ptr<re2::RE2> regex)
    : TopicPattern(text),
      fixed_beginning_(parts.beginning),
      fixed_text_(parts.longest),
      regex_(std::move(regex)) {}

UriTemplate::~UriTemplate() = default;

bool UriTemplate::matches(AskedTopic& topic) const {
  const std::string& text = topic.text();
  return text.starts_with(fixed_beginning_) && text.find(fixed_text_) != std::string::npos &&
         re2::RE2::FullMatch(text, *regex_);
}

}  // namespace vrelo::base
