// SPDX-License-Identifier: Apache-2.0
#include "hub/auth/proof.h"

#include <cassert>

#include <openssl/crypto.h>

#include "hub/auth/base64url.h"

namespace vrelo::auth {
namespace {

constexpr std::size_t kTurnBytes = 3;
constexpr std::size_t kMacBytes = 13;

}  // namespace

std::string make_proof(const Digest& secret, std::string_view session, std::uint32_t turn) {
  assert(turn <= kTurnMax);
  std::string bytes;
  for (const unsigned shift : {16U, 8U, 0U}) {
    bytes += static_cast<char>((turn >> shift) & 0xFFU);
  }
  const Digest mac = hmac_sha256(secret, std::string(session) + bytes);
  return "~" + encode_base64url(bytes.append(raw_bytes(mac).substr(0, kMacBytes)));
}

SplitId split_proof(std::string_view id) {
  if (id.size() < kProofBytes) {
    return {.id = id};
  }
  const std::string_view proof = id.substr(id.size() - kProofBytes);
  if (proof[0] != '~' || !decode_base64url(proof.substr(1))) {
    return {.id = id};
  }
  return {.id = id.substr(0, id.size() - kProofBytes), .proof = proof};
}

std::optional<std::uint32_t> proven_turn(std::string_view proof,
                                         const Digest& secret,
                                         std::string_view session) {
  if (proof.size() != kProofBytes || proof[0] != '~') {
    return std::nullopt;
  }
  const auto bytes = decode_base64url(proof.substr(1));
  if (!bytes) {
    return std::nullopt;
  }
  assert(bytes->size() == kTurnBytes + kMacBytes);
  std::uint32_t turn = 0;
  for (std::size_t i = 0; i < kTurnBytes; ++i) {
    turn = (turn << 8U) | static_cast<unsigned char>((*bytes)[i]);
  }
  const std::string right = make_proof(secret, session, turn);
  return CRYPTO_memcmp(right.data(), proof.data(), kProofBytes) == 0 ? std::optional(turn)
                                                                     : std::nullopt;
}

}  // namespace vrelo::auth
