// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "cli/commands.h"

namespace vrelo::cli {

// What `vrelo --help` prints.
std::string help(std::span<const Command> commands);

// Says that `word` is no command, or no option where it stands in the place of one.
std::string unknown_command(std::string_view word, std::span<const Command> commands);

}  // namespace vrelo::cli
