// SPDX-License-Identifier: Apache-2.0
#include "hub/auth/issuer.h"

#include <algorithm>
#include <utility>

namespace vrelo::auth {
namespace {

bool signs_for(const Issuer& issuer, Role role, Algorithm algorithm) {
  const bool has_role =
      std::find(issuer.roles.begin(), issuer.roles.end(), role) != issuer.roles.end();
  return has_role &&
         (issuer.algorithms.empty() || std::find(issuer.algorithms.begin(), issuer.algorithms.end(),
                                                 algorithm) != issuer.algorithms.end());
}

// A token is refused for living too long at any time, not only while its end is still far: else it
// would be taken when the revocation of all that lived then is forgotten.
Result<void> check_lifetime(const Claims& claims,
                            NumericDate lifetime,
                            NumericDate leeway,
                            NumericDate now) {
  if (lifetime == NumericDate(0)) {
    return {};
  }
  if (!claims.issued_at) {
    return Errc::kIssuedAtMissing;
  }
  if (!claims.expires || *claims.expires - *claims.issued_at > lifetime ||
      *claims.expires > now + leeway + lifetime) {
    return Errc::kExpiryTooFar;
  }
  return {};
}

Result<Claims> read_claims(const Jws& jws,
                           const NamedKey& key,
                           const Issuer& issuer,
                           const TokenRules& rules,
                           NumericDate now) {
  const auto payload = verified_payload(jws, {&key, 1});
  if (!payload) {
    return payload.error();
  }
  auto claims = parse_claims(*payload, jws.type, issuer.takes_mercure_claim);
  if (!claims) {
    return claims.error();
  }
  const ClaimRules claim_rules{
      .issuer = issuer.name, .audiences = rules.audiences, .leeway = rules.leeway};
  if (const auto checked = check_claims(*claims, claim_rules, now); !checked) {
    return checked.error();
  }
  if (const auto checked = check_lifetime(*claims, issuer.token_lifetime, rules.leeway, now);
      !checked) {
    return checked.error();
  }
  // Such a token is there already, so it was issued at some other time. Else it would be newer than
  // a revocation that is to come.
  if (claims->issued_at && *claims->issued_at > now + rules.leeway) {
    claims->issued_at.reset();
  }
  return claims;
}

// Whether a token may be refused so for want of a key.
bool is_about_keys(const boost::system::error_code& error) {
  return error == Errc::kKeyUnknown || error == Errc::kKidNeeded || error == Errc::kSignatureWrong;
}

}  // namespace

std::optional<UntriedKey> find_untried_key(std::span<const Issuer> issuers) {
  for (const Role role : {Role::kPublish, Role::kSubscribe, Role::kAdmin}) {
    std::vector<const NamedKey*> before;
    for (std::size_t i = 0; i < issuers.size(); ++i) {
      for (const NamedKey& key : issuers[i].keys) {
        const Algorithm algorithm = key.key.algorithm();
        if (!signs_for(issuers[i], role, algorithm)) {
          continue;
        }
        const auto tried = std::count_if(before.begin(), before.end(), [&](const NamedKey* other) {
          return other->key.algorithm() == algorithm && (!other->kid || other->kid == key.kid);
        });
        if (tried >= kKeysTriedMax) {
          return UntriedKey{.issuer = i, .role = role, .algorithm = algorithm};
        }
        before.push_back(&key);
      }
    }
  }
  return std::nullopt;
}

KeySetOptions key_set_options(const Issuer& issuer) {
  KeySetOptions options;
  if (issuer.algorithms.size() == 1) {
    options.algorithm = issuer.algorithms[0];
  }
  return options;
}

bool has_kid(std::span<const NamedKey> keys, const std::optional<std::string>& kid) {
  return kid && std::any_of(keys.begin(), keys.end(),
                            [&kid](const NamedKey& key) { return key.kid == kid; });
}

KeysWanted keys_wanted(std::string_view token,
                       Role role,
                       std::span<const Issuer> issuers,
                       const boost::system::error_code& error) {
  KeysWanted wanted;
  if (!is_about_keys(error)) {
    return wanted;
  }
  const auto jws = parse_jws(token);
  if (!jws || kind_of(jws->algorithm) == KeyKind::kSecret) {
    return wanted;  // secrets are not published
  }
  for (const Issuer& issuer : issuers) {
    if (issuer.key_source == nullptr || !signs_for(issuer, role, jws->algorithm)) {
      continue;
    }
    const bool is_known =
        jws->kid ? has_kid(issuer.keys, jws->kid)
                 : std::any_of(issuer.keys.begin(), issuer.keys.end(),
                               [&jws](const NamedKey& key) { return may_have_signed(key, *jws); });
    if (!is_known) {
      wanted.sources.push_back(issuer.key_source);
    }
  }
  wanted.kid = jws->kid;
  return wanted;
}

bool is_trusted(const VerifiedToken& token, Role role, std::span<const Issuer> issuers) {
  return std::any_of(issuers.begin(), issuers.end(), [&](const Issuer& issuer) {
    return issuer.name == token.issuer_name && signs_for(issuer, role, token.key->algorithm()) &&
           (issuer.takes_mercure_claim || token.claims.form == TokenForm::kAccessToken) &&
           std::any_of(issuer.keys.begin(), issuer.keys.end(),
                       [&](const NamedKey& key) { return key.key == *token.key; });
  });
}

Result<VerifiedToken> verify_token(std::string_view token,
                                   Role role,
                                   std::span<const Issuer> issuers,
                                   const TokenRules& rules,
                                   NumericDate now) {
  const auto jws = parse_jws(token);
  if (!jws) {
    return jws.error();
  }
  boost::system::error_code error = Errc::kKeyUnknown;
  int tried = 0;
  for (std::size_t i = 0; i < issuers.size(); ++i) {
    if (!signs_for(issuers[i], role, jws->algorithm)) {
      continue;
    }
    for (const NamedKey& key : issuers[i].keys) {
      if (!may_have_signed(key, *jws)) {
        continue;
      }
      if (tried++ == kKeysTriedMax) {
        return Errc::kKidNeeded;
      }
      auto claims = read_claims(*jws, key, issuers[i], rules, now);
      if (claims) {
        return VerifiedToken{.issuer = i,
                             .issuer_name = issuers[i].name,
                             .kid = key.kid ? key.kid : jws->kid,
                             .key = key.key,
                             .claims = std::move(*claims)};
      }
      // What says more is kept: a signature that is right, though the issuer is another.
      if (error == Errc::kKeyUnknown || error == Errc::kSignatureWrong) {
        error = claims.error();
      }
      // Two issuers may have the same key. Whatever else is wrong, is wrong with any key.
      if (error != Errc::kSignatureWrong && error != Errc::kIssuerRefused &&
          error != Errc::kTypeRefused) {
        return error;
      }
    }
  }
  return error;
}

}  // namespace vrelo::auth
