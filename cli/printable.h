// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

namespace vrelo::cli {

// Returns `text` as a terminal may show it: with what would move its cursor, change its colours or
// turn the direction of what follows written as "\u{1B}", and bytes that are not UTF-8 as "\xFF".
// Line ends are among what is written so; a tab stays. For people: what it returns cannot be read
// back.
std::string printable(std::string_view text);

// Returns `text` with U+FFFD for each byte that is not part of a character in UTF-8.
std::string as_utf8(std::string_view text);

}  // namespace vrelo::cli
