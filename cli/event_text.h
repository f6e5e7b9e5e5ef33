// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>

#include "sse/decoder.h"

namespace vrelo::cli {

// The most bytes of an event that `vrelo sub` takes, twice what `vrelo pub` publishes.
inline constexpr std::size_t kEventBytesMax = std::size_t{32} << 20;

// How a text for people is written.
struct Look {
  bool is_terminal = false;  // what could harm one is written as escapes
  bool has_colours = false;
};

// An event for people: "ID TYPE DATA" in one line, "-" where there is no id; further lines of the
// data stand below it, indented by four spaces. Ends with LF.
std::string event_text(const sse::Event& event, Look look);

// An event for programs: {"id":"…","type":"…","data":"…"} in one line, LF included. Bytes that
// are not UTF-8 are replaced by U+FFFD; control characters are written as \u009b, so that the line
// can be shown on a terminal too.
//
// Invariant: always a JSON object in UTF-8, whatever the event holds.
std::string event_json(const sse::Event& event);

}  // namespace vrelo::cli
