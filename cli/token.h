// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string>

namespace vrelo::cli {

// `vrelo token`: makes a token, or says what one holds. `token --help` says what its arguments are.
// This is a Command::run.
int token(std::span<const std::string> arguments);

}  // namespace vrelo::cli
