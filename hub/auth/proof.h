// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "hub/auth/digest.h"

namespace vrelo::auth {

// What each id of a stream session ends in: "~" and 22 characters, which the browser sends back and
// which never were in a URL. They are base64url of the connection's turn (3 bytes) and the first 13
// bytes of HMAC-SHA-256 of session and turn, under a secret of the session's own.
inline constexpr std::size_t kProofBytes = 23;  // with the "~"
inline constexpr std::uint32_t kTurnMax = (std::uint32_t{1} << 24) - 1;

// `turn`: at most kTurnMax.
std::string make_proof(const Digest& secret, std::string_view session, std::uint32_t turn);

// An id as a reader sent it, and what may be a proof behind it; both are parts of what was split.
struct SplitId {
  std::string_view id;
  std::string_view proof = {};  // with the "~"; "": there is none

  friend bool operator==(const SplitId&, const SplitId&) = default;
};

// Splits off what looks like a proof, whether it is one or not.
SplitId split_proof(std::string_view id);

// Returns the turn that `proof` proves; nullopt: it is none of this session.
// Cost: an HMAC; as long for one that is nearly right as for any other.
std::optional<std::uint32_t> proven_turn(std::string_view proof,
                                         const Digest& secret,
                                         std::string_view session);

}  // namespace vrelo::auth
