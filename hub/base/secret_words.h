// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

namespace vrelo::base {

// Returns whether `word` has the form of a token or of a ticket, whatever it is worth. No name that
// somebody gives a file or a host has it by chance.
bool looks_secret(std::string_view word);

// Returns `text` with "(a secret)" in place of each of its words that looks_secret(). For errors
// that repeat an argument: what was given in the wrong place is not to get into a log as well.
std::string without_secrets(std::string_view text);

}  // namespace vrelo::base
