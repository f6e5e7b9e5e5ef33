// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string>

namespace vrelo::cli {

// `vrelo bench`: loads a server of event streams, and prints what it did. `bench --help` says what
// its arguments are. This is a Command::run.
int bench(std::span<const std::string> arguments);

}  // namespace vrelo::cli
