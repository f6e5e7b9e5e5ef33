// SPDX-License-Identifier: Apache-2.0
//
// Properties: the scan in front of the parser misses nothing; spaces around a topic, what a URL
// parser removes from it, and a query or fragment behind it change nothing.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "hub/api/reserved_topic.h"

namespace vrelo::api {
namespace {

void require(bool holds) {
  if (!holds) {
    std::abort();
  }
}

void check(std::string_view topic) {
  const bool resolves = resolves_to_hub(topic);
  require(is_reserved_topic(topic) == resolves);

  const std::string spaced = "  " + std::string(topic) + " ";
  require(is_reserved_topic(spaced) == resolves);

  std::string cleaned(topic);
  cleaned.erase(std::remove_if(cleaned.begin(), cleaned.end(),
                               [](char c) { return c == '\t' || c == '\n' || c == '\r'; }),
                cleaned.end());
  require(is_reserved_topic(cleaned) == resolves);

  // In an opaque path the end of the path is not where the topic ends: spaces before "?" belong to
  // it.
  if (resolves && topic.find_first_of("?#") == std::string_view::npos &&
      !std::any_of(topic.begin(), topic.end(),
                   [](char c) { return static_cast<unsigned char>(c) <= ' '; })) {
    require(is_reserved_topic(std::string(topic) + "?a#b"));
  }
}

}  // namespace
}  // namespace vrelo::api

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* input, std::size_t size) {
  vrelo::api::check({reinterpret_cast<const char*>(input), size});
  return 0;
}
