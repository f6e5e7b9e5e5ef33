// SPDX-License-Identifier: Apache-2.0
#include "hub/api/reserved_topic.h"

#include <algorithm>
#include <cassert>
#include <cstddef>
#include <string>

#include <ada.h>

#include "hub/base/hex.h"
#include "hub/http/request.h"
#include "hub/http/token.h"

namespace vrelo::api {
namespace {

bool is_unreserved(char c) {
  return http::is_letter_or_digit(c) || c == '-' || c == '.' || c == '_' || c == '~';
}

// Decodes "%41" where it stands for an unreserved character, once.
std::string decode_unreserved(std::string_view path) {
  std::string decoded;
  for (std::size_t i = 0; i < path.size(); ++i) {
    if (path[i] == '%' && path.size() - i > 2) {
      const int high = base::hex_value(path[i + 1]);
      const int low = base::hex_value(path[i + 2]);
      const char c = static_cast<char>(high * 16 + low);
      if (high >= 0 && low >= 0 && is_unreserved(c)) {
        decoded.push_back(c);
        i += 2;
        continue;
      }
    }
    decoded.push_back(path[i]);
  }
  return decoded;
}

// Takes "." and ".." away. Source: RFC 3986 5.2.4, whose steps are the letters.
std::string remove_dot_segments(std::string_view in) {
  std::string out;
  while (!in.empty()) {
    if (in.starts_with("../") || in.starts_with("./")) {  // A
      in.remove_prefix(in.find('/') + 1);
    } else if (in.starts_with("/./") || in == "/.") {  // B
      in = in.size() > 2 ? in.substr(2) : std::string_view("/");
    } else if (in.starts_with("/../") || in == "/..") {  // C
      in = in.size() > 3 ? in.substr(3) : std::string_view("/");
      const std::size_t slash = out.rfind('/');
      out.resize(slash == std::string::npos ? 0 : slash);
    } else if (in == "." || in == "..") {  // D
      in = {};
    } else {  // E
      const std::size_t end = std::min(in.find('/', 1), in.size());
      out.append(in.substr(0, end));
      in.remove_prefix(end);
    }
  }
  return out;
}

// `origin`: any: only the path of what comes out is looked at.
bool resolves_from(std::string_view origin, std::string_view hub_path, std::string_view topic) {
  const auto base = ada::parse<ada::url_aggregator>(std::string(origin).append(hub_path));
  assert(base.has_value());
  const auto url = ada::parse<ada::url_aggregator>(topic, &*base);
  if (!url) {
    return false;
  }
  const std::string path = remove_dot_segments(decode_unreserved(url->get_pathname()));
  return path.starts_with(hub_path) &&
         (path.size() == hub_path.size() || path[hub_path.size()] == '/');
}

// Returns whether `reference`, which has no control characters, has no path of its own, so that the
// base's path holds. "https:" and "http:" are no more than that where the base has the same scheme.
bool has_empty_path(std::string_view reference) {
  const std::size_t begin = std::min(reference.find_first_not_of(' '), reference.size());
  std::string_view rest = reference.substr(begin);
  for (const std::string_view scheme : {"http:", "https:"}) {
    if (http::iequals(rest.substr(0, scheme.size()), scheme)) {
      rest.remove_prefix(scheme.size());
      break;
    }
  }
  return rest.empty() || std::string_view(" ?#").find(rest.front()) != std::string_view::npos;
}

}  // namespace

bool is_reserved_topic(std::string_view topic, std::string_view hub_path) {
  return may_resolve_to_hub(topic, hub_path) && resolves_to_hub(topic, hub_path);
}

bool resolves_to_hub(std::string_view topic, std::string_view hub_path) {
  return resolves_from("https://hub", hub_path, topic) ||
         resolves_from("http://hub", hub_path, topic);
}

// A path of the topic's own leads to the hub only if it has the last segment of the hub's path, as
// it stands or with escapes: dot segments take segments away, they make none. What is between the
// letters may also be a tab or a line end, which a URL parser removes.
bool may_resolve_to_hub(std::string_view topic, std::string_view hub_path) {
  const std::string_view last_segment = hub_path.substr(hub_path.rfind('/') + 1);
  const bool hides_letters = std::any_of(topic.begin(), topic.end(), [](char c) {
    return c == '%' || static_cast<unsigned char>(c) < 0x20;
  });
  return hides_letters || topic.find(last_segment) != std::string_view::npos ||
         has_empty_path(topic);
}

}  // namespace vrelo::api
