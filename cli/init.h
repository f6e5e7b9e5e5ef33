// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string>

namespace vrelo::cli {

// `vrelo init`: writes a settings file and a key for a hub that needs tokens. `init --help` says
// what its arguments are. This is a Command::run.
int init(std::span<const std::string> arguments);

}  // namespace vrelo::cli
