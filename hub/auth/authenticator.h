// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "hub/auth/credentials.h"
#include "hub/auth/errc.h"
#include "hub/auth/grants.h"
#include "hub/auth/issuer.h"
#include "hub/auth/quotas.h"
#include "hub/auth/revocations.h"
#include "hub/base/clock.h"

namespace vrelo::auth {

// Who is trusted, and for what. It never changes: a reload makes another.
//
// Threads: any.
struct TrustPolicy {
  std::vector<Issuer> issuers = {};
  TokenRules token_rules = {};
  CredentialRules credential_rules = {};

  bool allows_anonymous = true;  // to read public events

  std::shared_ptr<const Revocations> revocations = {};  // nullptr: there are none

  std::size_t remembered_max = 4096;  // tokens, on each shard

  // Returns whether the token was revoked, or any of its issuer's keys that is the same as its own.
  bool is_revoked(const VerifiedToken& token, NumericDate now) const;

  // The same for a ticket, besides the token that it was minted with.
  bool is_revoked(const std::string& issuer,
                  const std::string& label,
                  NumericDate minted_at) const {
    return revocations != nullptr && revocations->covers(issuer, label, minted_at);
  }
};

// What a request may do, and as who.
struct Authorization {
  GrantPtr grant;
  Channel channel = Channel::kNone;
  std::shared_ptr<const VerifiedToken> token = {};  // nullptr: there is none

  // Of the token's subject; nullptr: nothing limits it.
  std::shared_ptr<Quota> quota = {};
  QuotaLimits limits = {};

  // Returns the place of a stream that it wants to open; nullopt: it has too many.
  std::optional<Quota::Place> open_stream() const {
    return quota == nullptr ? Quota::Place() : Quota::open_stream(quota, limits.streams_max);
  }

  // Whether it may publish one more event `now`; then it is counted. One that the grant does not
  // cover is refused by whoever publishes it, and costs nothing.
  bool publish(std::span<const std::string> topics, base::Clock::Steady now) const {
    if (quota == nullptr || limits.publishes_per_second == 0) {
      return true;
    }
    // First what is cheap: who has published too much does not have the grant looked at.
    if (quota->is_used_up(limits.publishes_per_second, now)) {
      return false;
    }
    return !grant->may_publish(topics) || quota->publish(limits.publishes_per_second, now);
  }
};

// Returns whether a token that came this way may have come without its owner's doing, so that a
// request that changes something has to show where it comes from.
inline bool is_ambient(Channel channel) {
  return channel == Channel::kCookie || channel == Channel::kFormerCookie;
}

// Finds out what requests may do. Remembers tokens that were verified, by their hash and for as
// long as they are valid, so that their signatures are computed once.
//
// Threads: one, a shard's.
class Authenticator {
 public:
  // Lifetime: the references must outlive it.
  Authenticator(std::shared_ptr<const TrustPolicy> policy,
                CompilePattern compile,
                const base::Clock& clock,
                Quotas& quotas);

  Authenticator(const Authenticator&) = delete;
  Authenticator& operator=(const Authenticator&) = delete;

  // Judges a request that wants to act in `role`. A token that is presented has to be valid even
  // where none is needed. For kAdmin it has to come in the header.
  //
  // The Grant is for the caller to ask: a token without the right to a topic is no error here.
  // Errors: all of Errc. kTokenMissing is 401 without a reason, is_malformed_request() 400, all
  // others are 401 and invalid_token; none of them is for the sender to read.
  // Cost: a hash of the token if it is remembered, else as verify_token().
  Result<Authorization> authorize(const Presented& presented, Role role);

  // Returns how the token comes that authorize() would judge; kNone also where it would find none
  // for want of form.
  Channel channel_of(const Presented& presented, Role role) const;

  // What the ticket allows that was minted with `token`, which the policy trusts. Errors:
  // kPatternRefused.
  Result<Authorization> authorize(const VerifiedToken& token);

  // Returns which keys might help, where authorize() has returned `error`.
  KeysWanted keys_wanted(const Presented& presented,
                         Role role,
                         const boost::system::error_code& error) const;

  // Holds for requests that come from now on. Nothing that was remembered is trusted any more.
  void set_policy(std::shared_ptr<const TrustPolicy> policy);

  std::size_t remembered() const { return by_hash_.size(); }

 private:
  using Hash = std::array<unsigned char, 32>;

  // A token that was verified, and its Grant.
  struct Remembered {
    Hash hash;
    std::shared_ptr<const VerifiedToken> token;
    GrantPtr grant;
    std::shared_ptr<Quota> quota;  // nullptr: there are no limits
  };

  std::shared_ptr<Quota> quota_of(const VerifiedToken& token);
  Result<Credentials> find(const Presented& presented, Role role) const;
  Result<Remembered> verify(std::string_view token, Role role, const Hash& hash);
  const Remembered* recall(const Hash& hash);
  const Remembered& remember(Remembered remembered);
  NumericDate now() const;

  std::shared_ptr<const TrustPolicy> policy_;
  Grants grants_;
  const base::Clock& clock_;
  Quotas& quotas_;

  std::list<Remembered> tokens_;  // what was used last comes first
  std::map<Hash, std::list<Remembered>::iterator> by_hash_;
};

}  // namespace vrelo::auth
