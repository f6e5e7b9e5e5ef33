// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "cli/output.h"

namespace vrelo::cli {

// Reads `arguments` into what `app` binds, and adds --help to it. Returns nullopt, or the status to
// exit with: kOk where help was asked for, which `out` then has, and kUsage where they make no
// sense; `err` then has a line that says why, and suggests the option that is nearest to one that
// does not exist.
std::optional<int> read_arguments(CLI::App& app,
                                  const std::vector<std::string>& arguments,
                                  Output& out,
                                  Output& err);

// Writes a line such as "vrelo sub: …" for the person who gave the command.
void say(Output& err, const std::string& command, const std::string& message);

}  // namespace vrelo::cli
