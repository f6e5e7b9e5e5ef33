// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "hub/api/ticket_request.h"

namespace vrelo::sim::tickets {

// Whoever sends requests.
enum Who : std::uint8_t { kOwner, kThief, kTwin, kProofThief };
inline constexpr std::size_t kClients = 4;

// What may be wrong with a request for the stream of a ticket.
enum class Flaw : std::uint8_t { kNone, kMethod, kAccept, kMode, kToken, kCursor };
inline constexpr std::pair<Flaw, const char*> kFlaws[] = {
    {Flaw::kMethod, "the method HEAD"},
    {Flaw::kAccept, "an Accept of anything"},
    {Flaw::kMode, "a navigation's mode"},
    {Flaw::kToken, "a token beside the ticket"},
    {Flaw::kCursor, "a malformed cursor"}};

// The ticket that all of them have.
const auth::TicketHash& the_ticket();

// Returns what the shipped hub reads in the request of `who`, with a proof or "": the twin's has
// the same headers as the owner's, the thief's and the proof thief's others. nullopt: it is
// refused.
std::optional<api::TicketRequest> read_sent(Who who, const std::string& proof, Flaw flaw);

}  // namespace vrelo::sim::tickets
