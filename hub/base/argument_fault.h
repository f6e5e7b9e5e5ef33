// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include <CLI/CLI.hpp>

namespace vrelo::base {

// Says in half a sentence what is wrong with the arguments that `app` did not take: "--listen needs
// a value: ADDRESS:PORT". What it repeats of them is as it was given.
//
// Lifetime: `error` is what app.parse() has thrown last.
std::string argument_fault(const CLI::App& app, const CLI::ParseError& error);

}  // namespace vrelo::base
