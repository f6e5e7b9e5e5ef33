// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "hub/log/log.h"

namespace vrelo::log {

// The id that an event without one of its publisher's gets: its position in short form,
// "#EPOCH.OFFSET". EPOCH is the epoch's 64 bits in base64url (11 characters), OFFSET is decimal
// without leading zeros. It cannot meet a publisher's id, because those may not begin with "#".
std::string event_id(Position position);

// Appends what event_id() returns, without an allocation where `out` has room.
void append_event_id(Position position, std::string& out);

// Returns the position that event_id() made `text` from; nullopt for any other text, so that each
// position has exactly one id.
std::optional<Position> parse_event_id(std::string_view text);

// The most bytes that event_id() returns.
inline constexpr std::size_t kEventIdBytesMax = 1 + 11 + 1 + 20;

}  // namespace vrelo::log
