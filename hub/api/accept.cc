// SPDX-License-Identifier: Apache-2.0
#include "hub/api/accept.h"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string_view>

#include "hub/http/token.h"

namespace vrelo::api {
namespace {

// How closely a range describes text/event-stream.
enum class Closeness { kNot, kAny, kText, kExact };

struct Range {
  Closeness closeness = Closeness::kNot;
  bool refused = false;  // q=0
};

// Cuts the next piece off `rest`, up to `separator` but not to one inside a quoted string. Sets
// `rest` to nullopt after the last piece.
std::string_view next_piece(std::optional<std::string_view>& rest, char separator) {
  bool quoted = false;
  std::size_t at = 0;
  for (; at < rest->size(); ++at) {
    const char c = (*rest)[at];
    if (c == '"') {
      quoted = !quoted;
    } else if (quoted && c == '\\') {
      ++at;  // what it protects
    } else if (!quoted && c == separator) {
      break;
    }
  }
  const std::string_view piece = rest->substr(0, at);
  rest = at < rest->size() ? std::optional(rest->substr(at + 1)) : std::nullopt;
  return http::trim(piece);
}

bool all_are(std::string_view text, std::string_view set) {
  return text.find_first_not_of(set) == std::string_view::npos;
}

// Source: RFC 9110 12.4.2: "0" or "1", with at most three decimals, which after "1" are zeros.
bool is_quality(std::string_view text) {
  if (text.empty() || text.size() > 5 || (text.size() > 1 && text[1] != '.')) {
    return false;
  }
  const std::string_view decimals = text.substr(std::min<std::size_t>(text.size(), 2));
  return text[0] == '0' ? all_are(decimals, "0123456789")
                        : text[0] == '1' && all_are(decimals, "0");
}

bool is_quoted_string(std::string_view text) {
  return text.size() >= 2 && text.starts_with('"') && text.ends_with('"');
}

std::optional<Closeness> closeness(std::string_view range) {
  const std::size_t slash = range.find('/');
  if (slash == std::string_view::npos) {
    return std::nullopt;
  }
  const std::string_view type = range.substr(0, slash);
  const std::string_view subtype = range.substr(slash + 1);
  if (!http::is_token(type) || !http::is_token(subtype) || (type == "*" && subtype != "*")) {
    return std::nullopt;
  }
  if (type == "*") {
    return Closeness::kAny;
  }
  if (!http::iequals(type, "text")) {
    return Closeness::kNot;
  }
  if (subtype == "*") {
    return Closeness::kText;
  }
  return http::iequals(subtype, "event-stream") ? Closeness::kExact : Closeness::kNot;
}

// Returns nullopt if `element` cannot be read.
std::optional<Range> read_range(std::string_view element) {
  std::optional<std::string_view> rest = element;
  const auto close = closeness(next_piece(rest, ';'));
  if (!close) {
    return std::nullopt;
  }
  Range range{.closeness = *close};
  while (rest) {
    const std::string_view parameter = next_piece(rest, ';');
    if (parameter.empty()) {
      continue;
    }
    const std::size_t equals = std::min(parameter.find('='), parameter.size());
    const std::string_view name = parameter.substr(0, equals);
    const std::string_view value = parameter.substr(std::min(equals + 1, parameter.size()));
    if (http::iequals(name, "q")) {
      if (!is_quality(value)) {
        return std::nullopt;
      }
      range.refused = all_are(value, "0.");
    } else if (!http::is_token(name) || (!http::is_token(value) && !is_quoted_string(value))) {
      return std::nullopt;
    }
  }
  return range;
}

}  // namespace

StreamWish stream_wish(const http::Request& request) {
  bool has_range = false;
  Range best;
  for (const http::Field& field : request.fields) {
    if (!http::iequals(field.name, "Accept")) {
      continue;
    }
    std::optional<std::string_view> rest = field.value;
    while (rest) {
      const std::string_view element = next_piece(rest, ',');
      if (element.empty()) {  // allowed in a list: RFC 9110 5.6.1.2
        continue;
      }
      const auto range = read_range(element);
      if (!range) {
        return StreamWish::kAccepted;
      }
      has_range = true;
      if (range->closeness > best.closeness) {
        best = *range;
      } else if (range->closeness == best.closeness) {
        best.refused = best.refused && range->refused;
      }
    }
  }
  if (!has_range) {
    return StreamWish::kAccepted;
  }
  if (best.closeness == Closeness::kNot || best.refused) {
    return StreamWish::kRefused;
  }
  return best.closeness == Closeness::kExact ? StreamWish::kNamed : StreamWish::kAccepted;
}

}  // namespace vrelo::api
