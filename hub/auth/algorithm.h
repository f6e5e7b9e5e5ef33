// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string_view>

namespace vrelo::auth {

// How a token can be signed. Source: RFC 7518 3.1, RFC 8037 3.1 (EdDSA by Ed25519 alone).
enum class Algorithm {
  kHs256,
  kHs384,
  kHs512,
  kRs256,
  kRs384,
  kRs512,
  kPs256,
  kPs384,
  kPs512,
  kEs256,
  kEs384,
  kEs512,
  kEdDsa,
};

// What an algorithm's keys are.
enum class KeyKind { kSecret, kRsa, kEllipticCurve, kEd25519 };

// Returns the algorithm with exactly this name, as in "ES256"; nullopt: it is none of ours.
std::optional<Algorithm> parse_algorithm(std::string_view name);

std::string_view name_of(Algorithm algorithm);

KeyKind kind_of(Algorithm algorithm);

}  // namespace vrelo::auth
