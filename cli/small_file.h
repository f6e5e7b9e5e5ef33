// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>

#include "hub/base/setting_text.h"

namespace vrelo::cli {

// Returns what the file at `path` holds; "-": standard input, to its end.
//
// Errors: a message that begins with the path: it cannot be read, or is longer than `bytes_max`.
base::Parsed<std::string> read_small_file(const std::string& path, std::size_t bytes_max);

// Makes the file at `path` with `text` in it, for its owner alone where it is a secret.
//
// Errors: a message that begins with the path: it is there already, or cannot be written.
enum class Secrecy { kPlain, kSecret };
base::Parsed<void> make_small_file(const std::string& path,
                                   const std::string& text,
                                   Secrecy secrecy);

}  // namespace vrelo::cli
