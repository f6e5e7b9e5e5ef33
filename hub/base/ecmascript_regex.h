// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace vrelo::base {

// Writes a regular expression of ECMAScript (with the flag `v`) as RE2 reads it, for texts that are
// ASCII alone, as all parts of a URL are. RE2's own extensions never get through, so that what is a
// regular expression does not depend on the engine.
//
// Errors: nullopt: `pattern` is none, or has what needs more than linear time or what has no use on
// the parts of a URL: look-around, back-references, modifiers `(?i:…)`, `\p{…}` and `\q{…}`; and
// repetitions that add more than 500 terms in all.
// Cost: linear; what is returned is at most some 300 times as long (a class of every other
// character). RE2 may refuse it still, for its size.
// Source: ECMA-262, 22.2.1 with UnicodeSetsMode.
std::optional<std::string> re2_syntax(std::string_view pattern);

}  // namespace vrelo::base
