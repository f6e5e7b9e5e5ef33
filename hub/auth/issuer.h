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
#include "hub/auth/key_set.h"
#include "hub/auth/key_source.h"
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
  KeySourcePtr key_source = {};      // where more of them are; nullptr: there are no others
  bool lacks_keys = false;           // there is such a place, and nobody knows what is there
  bool takes_mercure_claim = false;  // its tokens may be those of 0.x

  // How long after its iat the exp of a token may be, and so how long a revocation counts; 0: any
  // time.
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
  std::optional<std::string> kid = {};   // of the key that signed it; if it has none, its own
  std::optional<VerifyingKey> key = {};  // that one; never nullopt
  Claims claims = {};
};

// A key that verify_token() never comes to, whatever the token.
struct UntriedKey {
  std::size_t issuer = 0;  // its place among the issuers
  Role role = Role::kPublish;
  Algorithm algorithm = Algorithm::kHs256;
};

// Returns the first such key: kKeysTriedMax others are tried before it, since they have no kid, or
// the same. Cost: compares all keys with each other.
std::optional<UntriedKey> find_untried_key(std::span<const Issuer> issuers);

// How keys of `issuer` that do not say what they are for are read.
KeySetOptions key_set_options(const Issuer& issuer);

// Returns whether one of `keys` has this kid.
bool has_kid(std::span<const NamedKey> keys, const std::optional<std::string>& kid);

// Returns where the key of `token`, which was refused with `error`, may be by now: at those issuers
// that publish keys, and of whom none has its kid yet.
//
// `error`: that of verify_token().
KeysWanted keys_wanted(std::string_view token,
                       Role role,
                       std::span<const Issuer> issuers,
                       const boost::system::error_code& error);

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
