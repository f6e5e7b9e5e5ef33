// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "hub/auth/algorithm.h"
#include "hub/auth/errc.h"
#include "hub/auth/verifying_key.h"

namespace vrelo::auth {

inline constexpr std::size_t kTokenBytesMax = 8192;
inline constexpr std::size_t kKidBytesMax = 256;

// A token whose header was read and whose signature was not looked at: nothing in it is true yet.
//
// Lifetime: the views are parts of the token.
struct Jws {
  // What the header says. It only serves to find the key, which is compared with it.
  Algorithm algorithm = Algorithm::kHs256;
  std::optional<std::string> kid = {};   // any bytes: never a path, a query or a C string
  std::optional<std::string> type = {};  // "typ"

  std::string_view signed_text = {};  // header and payload, as they came
  std::string_view payload = {};      // base64url
  std::string signature = {};
};

// Splits a compact JWS and reads its header. A key or a URL of one in it (jwk, jku, x5c, x5u) is
// not looked at.
//
// Errors: all of Errc up to kAlgorithmUnknown.
// Source: RFC 7515 4, 5.2 and 7.1; RFC 8725 3.
Result<Jws> parse_jws(std::string_view token);

// A key and the name that its owner gave it.
struct NamedKey {
  std::optional<std::string> kid = {};  // nullopt: it has none
  VerifyingKey key;
};

// Returns whether `key` is to be tried on `jws`: it is for its algorithm, and has its kid unless
// one of the two has none.
bool may_have_signed(const NamedKey& key, const Jws& jws);

// Returns the payload if one of `keys` signed it.
//
// Errors: kKeyUnknown, kSignatureWrong, kNotBase64Url (the payload).
// Cost: verifies once for each key that may have signed it: one, if tokens and keys have a kid.
Result<std::string> verified_payload(const Jws& jws, std::span<const NamedKey> keys);

}  // namespace vrelo::auth
