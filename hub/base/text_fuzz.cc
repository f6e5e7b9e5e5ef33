// SPDX-License-Identifier: Apache-2.0
//
// Properties: the fast way over ASCII and the slow way agree (a text has the same fault alone and
// at each distance from where a word begins); what has no fault is UTF-8; two texts without fault
// make one.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>

#include "hub/base/text.h"

namespace {

void require(bool holds) {
  if (!holds) {
    std::abort();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* input, std::size_t size) {
  using vrelo::base::find_fault;
  using vrelo::base::is_utf8;
  const std::string text(reinterpret_cast<const char*>(input), size);
  const auto fault = find_fault(text);
  require(fault || is_utf8(text));
  require(fault != vrelo::base::TextFault::kNotUtf8 || !is_utf8(text));
  for (std::size_t before = 1; before < 8; ++before) {
    const std::string moved = std::string(before, 'a') + text;
    require(find_fault(moved) == fault);
    require(is_utf8(moved) == is_utf8(text));
  }
  require(find_fault(text + text) == fault);
  return 0;
}
