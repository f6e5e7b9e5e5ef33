// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "hub/log/log.h"

namespace vrelo::log::sqlite {

// How an event is written in a row of the log:
//
//   flags     one byte: 1 private, 2 with retry; the others are 0
//   retry     if there is one: milliseconds, zigzag, as a varint
//   topics    their number as a varint, at least 1, then each one
//   id, type, data
//
// A text is its length as a varint (LEB128, no longer than needed) and its bytes. So each event is
// written in one way only, and equal events are equal bytes.

// Appends the bytes of `event` to `out`.
void encode_event(const Event& event, std::string& out);

// Returns the event whose bytes `bytes` are; nullopt for any that encode_event() does not write.
// Text is not checked to be UTF-8: who wrote the row did. That id and type are one line is: if
// a bit of the file has changed, no reader may get it.
std::optional<Event> decode_event(std::string_view bytes);

}  // namespace vrelo::log::sqlite
