// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string_view>

namespace vrelo::base {

// What keeps a text from being a topic, an id or an event type.
enum class TextFault {
  kNotUtf8,
  kControl,  // U+0000 to U+001F and U+007F to U+009F
  kFormat,   // invisible: general category Cf of Unicode 17. Two names that look alike would differ
};

// Returns whether all of `text` is UTF-8: no overlong form, no surrogate, nothing above U+10FFFF.
//
// Cost: eight bytes a step while they are ASCII.
bool is_utf8(std::string_view text);

// Returns the first fault in `text`, or nullopt.
//
// Cost: as is_utf8(), and a binary search for each character beyond ASCII.
// Source: draft-dunglas-mercure-08, sections 2, 3 and 5.
std::optional<TextFault> find_fault(std::string_view text);

// Returns a half sentence, as in "the topic has a control character": "has a control character".
std::string_view describe(TextFault fault);

}  // namespace vrelo::base
