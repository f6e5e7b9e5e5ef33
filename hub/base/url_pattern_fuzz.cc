// SPDX-License-Identifier: Apache-2.0
//
// The input is a pattern, a line end, and a topic. Properties: a text is a pattern or none, without
// a crash; a pattern matches no topic without what it says that all have in common; the regular
// expressions that come out of re2_syntax() are bounded.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "hub/base/ecmascript_regex.h"
#include "hub/base/text.h"
#include "hub/base/url_pattern.h"

namespace vrelo::base {
namespace {

void require(bool holds) {
  if (!holds) {
    std::abort();
  }
}

void check(std::string_view input) {
  const std::size_t end = input.find('\n');
  const std::string_view text = input.substr(0, end);
  const std::string_view topic = end == std::string_view::npos ? text : input.substr(end + 1);

  if (const auto syntax = re2_syntax(text)) {
    require(syntax->size() <= 320 * text.size());
  }

  static const auto base = UrlBase::make("https://hub.example.com/.well-known/mercure");
  const auto pattern = UrlPattern::make(text, base);
  require(pattern == nullptr || is_utf8(text));
  TopicUrl url;
  if (pattern == nullptr || !is_utf8(topic) || !url.read(topic, *base)) {
    return;
  }
  require(pattern->fixed_path().empty() || pattern->fixed_path().front() == '/');
  if (pattern->matches(url)) {
    require(pattern->matches(topic));
    require(pattern->may_match(url));
  }
}

}  // namespace
}  // namespace vrelo::base

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* input, std::size_t size) {
  vrelo::base::check({reinterpret_cast<const char*>(input), size});
  return 0;
}
