// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "hub/auth/algorithm.h"
#include "hub/auth/claims.h"
#include "hub/auth/errc.h"
#include "hub/auth/jws.h"
#include "hub/auth/quotas.h"

namespace vrelo::auth {

// How many keys a token is tried with. Only one without kid, or a key without one, needs more than
// one try, and anyone may send such a token.
inline constexpr int kKeysTriedMax = 8;

// What a request wants to do.
enum class Role { kPublish, kSubscribe, kAdmin };

// Somebody whose tokens are taken. One name may stand in several of them, as where publishers and
// subscribers have keys of their own.
struct Issuer {
  std::string name = {};                   // what its tokens have as iss
  std::vector<Role> roles = {};            // what its keys may sign for
  std::vector<Algorithm> algorithms = {};  // those of its keys that are taken; empty: all
  std::vector<NamedKey> keys = {};
  bool takes_mercure_claim = false;  // its tokens may be those of 0.x

  // How long before its exp a token is taken, and so how long a revocation counts; 0: any time.
  NumericDate token_lifetime{0};

  QuotaLimits limits = {};  // of each of its subjects
};

// What does not depend on the issuer.
struct TokenRules {
  std::vector<std::string> audiences = {};  // what the hub is called in tokens
  NumericDate leeway = NumericDate(0);      // how far an issuer's clock may be off
};

// A token that is true.
struct VerifiedToken {
  std::size_t issuer = 0;  // its place among the issuers
  std::string issuer_name = {};
  std::optional<std::string> kid = {};   // of the key that signed it
  std::optional<VerifyingKey> key = {};  // that one; never nullopt
  Claims claims = {};
};

// Returns whether `issuers`, which may be others than those it was verified by, trust the key of
// `token` for `role`.
bool is_trusted(const VerifiedToken& token, Role role, std::span<const Issuer> issuers);

// Verifies `token` for a request in `role`. The issuer is known by the key: the payload is not
// parsed before it is known who signed it.
//
// Errors: all of Errc. Where several keys were tried, that of the first which signed it.
// Cost: a signature, unless there are several keys to try; see VerifyingKey::verifies().
Result<VerifiedToken> verify_token(std::string_view token,
                                   Role role,
                                   std::span<const Issuer> issuers,
                                   const TokenRules& rules,
                                   NumericDate now);

}  // namespace vrelo::auth
