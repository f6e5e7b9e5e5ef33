// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "hub/log/log.h"

namespace vrelo::fanout {

// How a stream's cursor is moved without an event of a publisher's. Chromium and ordinary parsers
// take an id from a block that has nothing else; Firefox keeps only the id of an event that it
// dispatched (both measured), so native streams get a named event with an empty data line.
enum class Hello {
  kQuiet,  // a block with the id alone, which no parser shows
  kNamed,  // an event whose type begins with "vrelo.", which no page listens to by accident
};

// An idle stream's sign of life. A comment is bytes in the body, which load balancers count; it is
// one line, because some clients take each chunk that begins with ":" for a whole comment.
inline constexpr std::string_view kHeartbeat = ":\n";

// In the blocks below, `id_suffix` is what each id of the stream ends in; "" for most.

// What a stream begins with: the heartbeat's interval (for the clients' idle timeout), the delay
// before a reconnect, and the position to come back with, should it break before the first event.
std::string first_block(Hello hello,
                        std::chrono::seconds heartbeat,
                        std::chrono::milliseconds retry,
                        log::Position position,
                        std::string_view id_suffix = {});

// The lines that a stream begins with where its first block is a gap block, which follows at once.
// The position is that of the gap alone: a reader that is cut off before the gap has come whole
// must come back with the cursor it had.
std::string lines_before_gap(std::chrono::seconds heartbeat, std::chrono::milliseconds retry);

// Moves the cursor of an idle stream on, so that it does not grow older than the history.
std::string position_block(Hello hello, log::Position position, std::string_view id_suffix = {});

// Asks the reader to come back after `retry`; for a stream that is about to end.
std::string retry_block(std::chrono::milliseconds retry);

// Says that the reader's right to the stream ends, and with it the stream. `reason`: "expired" or
// "revoked", or "copied" of a stream session whose proof two clients have.
std::string end_block(std::string_view reason, std::chrono::milliseconds retry);

// Says that the stream will end in `left`, so that its reader can get a new ticket before.
std::string renew_block(std::chrono::seconds left);

// Says that events are missing: of what the reader had not seen, that is after `after`, nothing up
// to `until` can be had any more. `after` is the reader's cursor as it gave it; `until` becomes the
// new one. `reason` is "retention", "epoch" (the log was replaced) or "unknown" (no such id is
// kept).
std::string gap_block(std::string_view reason,
                      std::string_view after,
                      log::Position until,
                      std::string_view id_suffix = {});

}  // namespace vrelo::fanout
