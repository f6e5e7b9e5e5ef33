// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "hub/auth/authenticator.h"
#include "hub/auth/claims.h"
#include "hub/auth/digest.h"
#include "hub/auth/issuer.h"

namespace vrelo::auth {

// A ticket is a text in a URL that opens one stream, once: "vt_" and 256 random bits in base64url.
// The hub keeps its hash alone, which is also its name in here.
using TicketHash = Digest;

inline constexpr std::string_view kTicketPrefix = "vt_";
inline constexpr std::size_t kTicketBytes = 46;

std::string ticket_text(const Digest& random);

// Returns nullopt for what is not of a ticket's form.
std::optional<TicketHash> ticket_hash(std::string_view text);

// What the log calls a ticket: the first 8 hexadecimal digits of its hash.
std::string ticket_name(const TicketHash& hash);

// The name of a new stream session: 22 characters, not secret.
std::string session_name(const Digest& random);

// What a ticket was minted for. It never changes.
struct TicketTerms {
  std::string query;    // the stream's: selectors, perhaps a cursor
  std::string session;  // the name of the stream session that it will open
  std::string label;    // a back end's name for the reader; "": none

  // Of the token, so far as it matters to a reader.
  std::string issuer;
  Claims claims;
  std::optional<std::string> kid = {};
  Digest key_print = {};  // of the key that signed it

  NumericDate minted_at{0};
  std::uint64_t epoch = 0;  // the log's

  // What it weighs in memory, about.
  std::size_t bytes() const;

  friend bool operator==(const TicketTerms&, const TicketTerms&) = default;
};

using TicketTermsPtr = std::shared_ptr<const TicketTerms>;

// The claims of a token that a stream's right consists of: who, until when, what may be read.
Claims reader_claims(const Claims& claims);

// Returns the token that the ticket was minted with, as far as it is known, if `trust` still trusts
// its key to let read, and nothing of it was revoked; its label neither.
std::optional<VerifiedToken> token_of(const TicketTerms& terms,
                                      const TrustPolicy& trust,
                                      NumericDate now);

// Returns where the key of its token may be by now, where `trust` does not have it.
KeysWanted keys_wanted(const TicketTerms& terms, const TrustPolicy& trust);

// Returns whether `trust` does not have the key of its token, and cannot say that it is gone: the
// issuer publishes its keys, and nobody knows them.
bool lacks_key(const TicketTerms& terms, const TrustPolicy& trust);

// The claims, the kid and the issuer as JSON, for a store. Nothing else can read it.
std::string terms_json(const TicketTerms& terms);

// Puts what terms_json() wrote into `terms`. False: it is none of it.
bool read_terms_json(std::string_view json, TicketTerms& terms);

}  // namespace vrelo::auth
