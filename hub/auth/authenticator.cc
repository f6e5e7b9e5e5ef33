// SPDX-License-Identifier: Apache-2.0
#include "hub/auth/authenticator.h"

#include <algorithm>
#include <cassert>
#include <utility>

#include <openssl/evp.h>

namespace vrelo::auth {
namespace {

// A token's hash among those for one role: what one key signs may be good for one and not for
// another.
std::array<unsigned char, 32> hash_of(std::string_view token, Role role) {
  std::array<unsigned char, 32> hash{};
  const std::string text = static_cast<char>('0' + static_cast<int>(role)) + std::string(token);
  unsigned int bytes = 0;
  const int hashed =
      EVP_Digest(text.data(), text.size(), hash.data(), &bytes, EVP_sha256(), nullptr);
  assert(hashed == 1);
  assert(bytes == hash.size());
  return hash;
}

}  // namespace

bool TrustPolicy::is_revoked(const VerifiedToken& token, NumericDate now) const {
  if (revocations == nullptr || revocations->size() == 0) {
    return false;
  }
  // One key may stand there several times, as in PEM, without a kid, and as a JWK.
  const auto is_of_revoked_key = [&](const Issuer& issuer) {
    return issuer.name == token.issuer_name &&
           std::any_of(issuer.keys.begin(), issuer.keys.end(), [&](const NamedKey& key) {
             return key.kid && key.kid != token.kid && key.key == *token.key &&
                    revocations->covers_key(token.issuer_name, key.kid);
           });
  };
  return revocations->covers(token, now, token_rules.leeway) ||
         std::any_of(issuers.begin(), issuers.end(), is_of_revoked_key);
}

Authenticator::Authenticator(std::shared_ptr<const TrustPolicy> policy,
                             CompilePattern compile,
                             const base::Clock& clock,
                             Quotas& quotas)
    : policy_(std::move(policy)), grants_(std::move(compile)), clock_(clock), quotas_(quotas) {
  assert(policy_);
}

Result<Authorization> Authenticator::authorize(const Presented& presented, Role role) {
  const auto credentials = find(presented, role);
  if (!credentials) {
    return credentials.error();
  }
  const Channel channel = credentials->channel;
  if (channel == Channel::kNone) {
    if (role != Role::kSubscribe || !policy_->allows_anonymous) {
      return Errc::kTokenMissing;
    }
    return Authorization{.grant = grants_.anonymous()};
  }
  if (credentials->token.size() > kTokenBytesMax) {
    return Errc::kTokenTooLong;
  }

  const Hash hash = hash_of(credentials->token, role);
  const Remembered* known = recall(hash);
  if (known == nullptr) {
    auto verified = verify(credentials->token, role, hash);
    if (!verified) {
      return verified.error();
    }
    known = &remember(std::move(*verified));
  }
  const Issuer& issuer = policy_->issuers[known->token->issuer];
  if ((channel == Channel::kQuery || channel == Channel::kFormerCookie) &&
      !issuer.takes_mercure_claim) {
    return Errc::kChannelRefused;
  }
  return Authorization{.grant = known->grant,
                       .channel = channel,
                       .token = known->token,
                       .quota = known->quota,
                       .limits = issuer.limits};
}

Channel Authenticator::channel_of(const Presented& presented, Role role) const {
  const auto credentials = find(presented, role);
  return credentials ? credentials->channel : Channel::kNone;
}

Result<Authorization> Authenticator::authorize(const VerifiedToken& token) {
  auto grant = grants_.grant_of(token.claims);
  if (!grant) {
    return grant.error();
  }
  return Authorization{.grant = std::move(*grant),
                       .quota = quota_of(token),
                       .limits = policy_->issuers[token.issuer].limits};
}

std::shared_ptr<Quota> Authenticator::quota_of(const VerifiedToken& token) {
  if (!policy_->issuers[token.issuer].limits.any()) {
    return nullptr;
  }
  return quotas_.of(token.issuer_name, token.claims.subject.value_or(""));
}

KeysWanted Authenticator::keys_wanted(const Presented& presented,
                                      Role role,
                                      const boost::system::error_code& error) const {
  const auto credentials = find(presented, role);
  return credentials ? auth::keys_wanted(credentials->token, role, policy_->issuers, error)
                     : KeysWanted();
}

void Authenticator::set_policy(std::shared_ptr<const TrustPolicy> policy) {
  assert(policy);
  policy_ = std::move(policy);
  by_hash_.clear();
  tokens_.clear();
}

Result<Credentials> Authenticator::find(const Presented& presented, Role role) const {
  const Presented header_alone{.authorization_fields = presented.authorization_fields};
  return find_credentials(role == Role::kAdmin ? header_alone : presented,
                          policy_->credential_rules);
}

Result<Authenticator::Remembered> Authenticator::verify(std::string_view token,
                                                        Role role,
                                                        const Hash& hash) {
  auto verified = verify_token(token, role, policy_->issuers, policy_->token_rules, now());
  if (!verified) {
    return verified.error();
  }
  if (policy_->is_revoked(*verified, now())) {
    return Errc::kRevoked;
  }
  auto grant = grants_.grant_of(verified->claims);
  if (!grant) {
    return grant.error();
  }
  std::shared_ptr<Quota> quota = quota_of(*verified);
  return Remembered{.hash = hash,
                    .token = std::make_shared<const VerifiedToken>(std::move(*verified)),
                    .grant = std::move(*grant),
                    .quota = std::move(quota)};
}

// Returns nullptr also for a token that is not valid any more: verifying it again says why.
const Authenticator::Remembered* Authenticator::recall(const Hash& hash) {
  const auto found = by_hash_.find(hash);
  if (found == by_hash_.end()) {
    return nullptr;
  }
  const auto entry = found->second;
  if (!check_times(entry->token->claims, policy_->token_rules.leeway, now())) {
    by_hash_.erase(found);
    tokens_.erase(entry);
    return nullptr;
  }
  tokens_.splice(tokens_.begin(), tokens_, entry);
  return &*entry;
}

const Authenticator::Remembered& Authenticator::remember(Remembered remembered) {
  tokens_.push_front(std::move(remembered));
  by_hash_.insert_or_assign(tokens_.front().hash, tokens_.begin());
  // One is kept whatever the limit is: the caller's.
  while (tokens_.size() > policy_->remembered_max && tokens_.size() > 1) {
    by_hash_.erase(tokens_.back().hash);
    tokens_.pop_back();
  }
  return tokens_.front();
}

NumericDate Authenticator::now() const {
  return clock_.wall().time_since_epoch();
}

}  // namespace vrelo::auth
