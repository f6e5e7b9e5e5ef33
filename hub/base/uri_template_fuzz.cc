// SPDX-License-Identifier: Apache-2.0
//
// Properties: a text is a template or none, without a crash; a template matches its literal text
// with nothing in its expressions, and nothing with a character that it could not expand to.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "hub/base/uri_template.h"

namespace vrelo::base {
namespace {

void require(bool holds) {
  if (!holds) {
    std::abort();
  }
}

void check(std::string_view text) {
  const auto pattern = UriTemplate::make(text);
  if (!pattern) {
    return;
  }
  std::string literal;
  bool is_literal = true;
  for (const char c : text) {
    is_literal = is_literal && c != '{';
    if (is_literal) {
      literal.push_back(c);
    }
    is_literal = is_literal || c == '}';
  }
  require(pattern->matches(literal));
  require(!pattern->matches(literal + "{") && !pattern->matches(literal + " "));
  require(!pattern->matches(std::string(text)));
}

}  // namespace
}  // namespace vrelo::base

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* input, std::size_t size) {
  vrelo::base::check({reinterpret_cast<const char*>(input), size});
  return 0;
}
