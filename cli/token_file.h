// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <CLI/CLI.hpp>

#include "hub/base/setting_text.h"

namespace vrelo::cli {

// Fields of a request, by name and value.
using Fields = std::vector<std::pair<std::string, std::string>>;

// What of the arguments says who somebody is. A token never stands there itself: every user of the
// machine can read them.
struct TokenOptions {
  std::string file;
  std::string token;  // where somebody tried
};

// Returns the token that the file of the option `option` holds.
//
// Errors: as token_fields().
base::Parsed<std::string> read_token(const std::string& file, std::string_view option);

void add_token_options(CLI::App& app,
                       TokenOptions& options,
                       const char* about = "A file with the token to show the hub.");

// Returns the fields that show the token; none without one.
//
// Errors: a message that names the option; nothing of the token is in it.
// Cost: reads the file.
base::Parsed<Fields> token_fields(const TokenOptions& options);

// Returns the tokens of the file of `option`, which may have many, one a line; none without a file.
//
// Errors: as token_fields(); the message says which line.
// Cost: reads the file, of 64 MiB at most.
base::Parsed<std::vector<std::string>> read_tokens(const TokenOptions& options,
                                                   std::string_view option);

// Returns the ticket in `file`; "-": in standard input.
//
// Errors: a message that names the option; nothing of the ticket is in it.
// Cost: reads the file.
base::Parsed<std::string> read_ticket_file(const std::string& file);

}  // namespace vrelo::cli
