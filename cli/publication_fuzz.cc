// SPDX-License-Identifier: Apache-2.0
//
// Properties: a line that is read gives a form of printable ASCII; one that is refused says why, in
// words that a terminal can show.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "cli/printable.h"
#include "cli/publication.h"

namespace vrelo::cli {
namespace {

void require(bool holds) {
  if (!holds) {
    std::abort();
  }
}

void check(std::string_view line) {
  const auto publication = parse_publication(line, {});
  if (!publication) {
    const std::string& message = publication.error().message;
    require(!message.empty() && printable(message) == message);
    return;
  }
  require(!publication->topics.empty());
  const std::string form = form_of(*publication);
  require(form.starts_with("topic="));
  require(std::all_of(form.begin(), form.end(), [](char c) { return c > ' ' && c < '\x7F'; }));
}

}  // namespace
}  // namespace vrelo::cli

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* input, std::size_t size) {
  // std::uint8_t and char may alias: both are views of bytes.
  vrelo::cli::check({reinterpret_cast<const char*>(input), size});
  return 0;
}
