// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include <boost/system/result.hpp>

#include "hub/auth/grant.h"
#include "hub/base/task.h"
#include "hub/fanout/fan_out.h"
#include "hub/log/log.h"

namespace vrelo {

// What a reader asked for and may have.
struct Subscription {
  log::Selection selection;
  auth::GrantPtr grant;

  // "earliest": all there is; another text: what follows the event with this id; nullopt and "":
  // what comes from now on. "" is a cursor that was sent and is empty: its reader asks where it is.
  std::optional<std::string> cursor = {};

  fanout::Hello hello = fanout::Hello::kQuiet;

  std::string id_suffix = {};  // what each id of the stream ends in; "" for most
};

// Where a cursor leads.
struct Resume {
  // nullopt: whatever the log ends with when the stream opens.
  std::optional<log::Position> after = {};

  // The value of the response field Mercure-Last-Event-ID; "": the reader sent no cursor, so no
  // field.
  // Source: mercure.md R17 and R19: the cursor where it is retained, else "earliest"; if it is
  // empty, the id by which the hub knows the newest event, else "earliest".
  std::string last_event_id = {};

  // The gap that the stream begins with, as in fanout::gap_block(); nullopt: nothing is missing.
  struct Gap {
    std::string_view reason;  // of static storage
    std::string cursor;
    log::Position until;
  };
  std::optional<Gap> gap = {};
};

// Finds out where a reader with `subscription.cursor` goes on.
//
// An id that is not known as it stands, and ends in what looks like a stream session's proof, is
// looked for without it: it comes from such a stream. A cursor that is unknown, of another epoch,
// or older than the history leads to all there is, after a gap that says so.
// Cost: no I/O without a cursor, or where the window covers it; else a look-up or two.
// Errors: kStopped, kUnavailable.
base::Task<boost::system::result<Resume>> resolve_cursor(fanout::FanOut& fan_out,
                                                         const Subscription& subscription);

// Begins the stream: writes `http_head` and the first block in one piece to `fd`, and hands the
// socket to `fan_out`, which owns it from here on. Returns how many bytes that piece has.
//
// Invariant: whatever matches and is stored after this call began reaches the reader, once.
std::size_t open_stream(fanout::FanOut& fan_out,
                        int fd,
                        const Subscription& subscription,
                        const Resume& resume,
                        std::string http_head);

// Returns the same bytes for a stream that ends at once, so that its reader comes back with the id.
std::string short_stream(fanout::FanOut& fan_out,
                         const Subscription& subscription,
                         const Resume& resume,
                         std::string http_head);

}  // namespace vrelo
