// SPDX-License-Identifier: Apache-2.0
#include "cli/load/workload.h"

#include <fmt/format.h>

namespace vrelo::cli::load {

std::string token_field(const Target& target, std::size_t number) {
  if (target.tokens.empty()) {
    return "";
  }
  const std::string& token = target.tokens[number % target.tokens.size()];
  return fmt::format("Authorization: Bearer {}\r\n", token);
}

}  // namespace vrelo::cli::load
