// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "hub/auth/errc.h"

namespace vrelo::auth {

inline constexpr std::size_t kDetailsMax = 32;    // that are ours, in one token
inline constexpr std::size_t kMatchersMax = 100;  // in one detail, or one list of 0.x
inline constexpr std::size_t kMatcherBytesMax = 4096;

// A time in a token: since 1970, perhaps with a fraction. Source: RFC 7519 2.
using NumericDate = std::chrono::duration<double>;

// What a token says of topics: one of them, or a set.
struct TopicMatcher {
  enum class Kind {
    kAll,
    kExact,        // compared byte for byte
    kUrlPattern,   // not compiled yet
    kUriTemplate,  // 0.x: the same text, or a topic that the template matches
  };

  Kind kind = Kind::kExact;
  std::string text = {};  // "" for kAll

  friend bool operator==(const TopicMatcher&, const TopicMatcher&) = default;
};

// What tells the details that are for a hub from others. Source: draft-dunglas-mercure-08 6.4.
inline constexpr std::string_view kDetailType = "https://mercure.rocks/authorization-detail";

// One Mercure authorization detail.
struct Detail {
  bool allows_publish = false;
  bool allows_subscribe = false;
  std::vector<TopicMatcher> topics = {};    // in the token's order
  std::optional<std::string> payload = {};  // a JSON object, for those who see who is connected

  friend bool operator==(const Detail&, const Detail&) = default;
};

// The two kinds of token.
enum class TokenForm {
  kAccessToken,  // of Mercure 1.0: what it may do stands in authorization_details
  kMercureClaim  // of Mercure 0.x: it stands in the claim mercure
};

// What a token says, once its signature is known to be true. Nothing is missing that its form
// demands, but for what depends on who asks: see check_claims().
struct Claims {
  TokenForm form = TokenForm::kAccessToken;

  std::optional<std::string> issuer = {};
  std::optional<std::string> subject = {};
  std::optional<std::string> client_id = {};
  std::optional<std::string> token_id = {};  // "jti"
  std::vector<std::string> audience = {};    // empty: the token names none

  std::optional<NumericDate> expires = {};
  std::optional<NumericDate> not_before = {};
  std::optional<NumericDate> issued_at = {};  // of a verified token: not in the future

  // A mercure claim becomes one detail to publish and one to subscribe, where it has them.
  std::vector<Detail> details = {};

  friend bool operator==(const Claims&, const Claims&) = default;
};

// Reads the payload of a token whose header has the type `type` (nullopt: none).
// `takes_mercure_claim`: its key may sign tokens of 0.x.
//
// A token that says it is an access token is never taken for one of 0.x, and what it has beside its
// details under the name mercure is not looked at.
// Errors: kTypeRefused to kDetailsTooMany, and those of parse_json_object().
// Source: draft-dunglas-mercure-08 6.3 and 6.4; of 0.x, draft -07, section 6; RFC 7519 4.1.
Result<Claims> parse_claims(std::string_view payload,
                            const std::optional<std::string>& type,
                            bool takes_mercure_claim);

// Who is asked, and when.
struct ClaimRules {
  std::string_view issuer;                    // whose key has signed
  const std::vector<std::string>& audiences;  // what the hub is called in tokens
  NumericDate leeway = NumericDate(0);        // how far an issuer's clock may be off
};

// Returns an error if the token is not for us, or not now.
//
// Errors: kIssuerRefused to kNotYetValid.
Result<void> check_claims(const Claims& claims, const ClaimRules& rules, NumericDate now);

// As check_claims(), for the time alone: what may change while a token is remembered.
Result<void> check_times(const Claims& claims, NumericDate leeway, NumericDate now);

}  // namespace vrelo::auth
