// SPDX-License-Identifier: Apache-2.0
//
// Properties: whatever a server answers, what is said of it is one short line that a terminal can
// show.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "cli/failure_text.h"
#include "cli/printable.h"

namespace vrelo::cli {
namespace {

void require(bool holds) {
  if (!holds) {
    std::abort();
  }
}

void check(sse::client::Failure failure) {
  for (const auto errc : {sse::client::Errc::kRefused, sse::client::Errc::kNotEventStream}) {
    failure.error = errc;
    const std::string text = failure_text(failure, {});
    require(!text.empty() && text.size() <= 1500);
    require(printable(text) == text);
  }
}

}  // namespace
}  // namespace vrelo::cli

// The first byte chooses the type of the answer; the rest is its body, and a type of the server's
// own.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* input, std::size_t size) {
  if (size > 0) {
    // std::uint8_t and char may alias: both are views of bytes.
    const std::string body(reinterpret_cast<const char*>(input) + 1, size - 1);
    const std::string type = input[0] % 2 == 0 ? "application/problem+json" : body;
    vrelo::cli::check({.error = {}, .status = 400, .content_type = type, .body = body});
  }
  return 0;
}
