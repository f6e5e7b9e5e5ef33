// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "hub/auth/ticket_book.h"

namespace vrelo::sim::tickets {

// Who may take part besides the owner of the ticket, and what may happen.
struct Cast {
  bool thief_with_url = false;    // with headers of its own
  bool twin_with_url = false;     // with the owner's headers
  bool thief_with_proof = false;  // that the owner had at some moment
  bool crashes = false;
  bool backup = false;  // the store comes back as it was before the ticket was used
  bool second_node = false;
  bool ends = false;          // the ticket's time passes, or somebody revokes its session
  bool session_ends = false;  // its time passes, or it has no connection for too long
  bool full_nodes = false;
  bool store_fails = false;
  int requests = 4;  // that all of them together send at most, besides those with a flaw
};

// What was looked at.
struct Explored {
  std::size_t states = 0;
  int steps = 0;                          // until nothing new could happen
  std::string fault = {};                 // "": none
  std::vector<std::string> history = {};  // what led to it
};

// Tries everything that can happen with one ticket, in every order, until nothing can happen that
// leads to a state not seen before, and checks after each step what tickets.md promises:
//
// - A ticket opens one session, also over a crash and with a backup.
// - Whoever has the URL alone gets in only as the first; or, within the grace, where nobody has
//   shown a proof yet, with the same headers, and where the connection before has ended, has not
//   acknowledged its first block, or is on a node that does not answer.
// - A proof gets in that was presented last, was given last, or is newer. Where two clients have
//   one, that shows at the next reconnect of the second, and ends the session for good.
// - An owner with whom nobody interferes gets in again as long as the session lasts: with its
//   newest proof, or before it got one, within the grace.
// - A session has one open connection.
// - A ticket whose time is over opens no session; a session that was revoked is over for everybody,
//   also where its ticket was not used yet. So is one whose time has passed, or that was without a
//   connection for too long; and each of its streams ends when it does.
// - A request that is refused for something else leaves the ticket unused, and so does one that
//   cannot be kept. What else cannot be kept holds until the next crash.
// - A node that is full, or drains, gives a turn as any other does, and closes after its first
//   block.
Explored explore(const Cast& cast);

}  // namespace vrelo::sim::tickets
