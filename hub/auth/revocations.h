// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include <boost/system/result.hpp>

#include "hub/auth/claims.h"
#include "hub/auth/issuer.h"
#include "hub/base/clock.h"

namespace vrelo::auth {

inline constexpr std::size_t kRevocationsMax = 100'000;
inline constexpr std::size_t kRevokedBytesMax = 256;  // of what is named

// No clock is that far ahead unnoticed: every token that ends would have ended.
inline constexpr NumericDate kClockAheadMax = std::chrono::hours(30 * 24);

// Which tokens or tickets of an issuer are refused from some time on, though they are true.
struct Revocation {
  enum class Kind {
    kToken,    // the one with this jti
    kSubject,  // those with this sub that were issued until `at`: who signs in again has a new one
    kKey,      // those with this kid, and all of the key with it, whenever they were issued
    kLabel,    // no tokens, but the tickets that were minted with this label until `at`
    kSession,  // one stream session, by its name; it ends at once, and nothing of it is kept
  };

  std::string issuer;  // as its tokens have it in iss; "" for kSession
  Kind kind = Kind::kToken;
  std::string name;  // the jti, sub, kid, label or session

  // By the time of day; of kLabel by the clock of tickets.
  NumericDate at{0};     // when it was revoked
  NumericDate until{0};  // when all such tokens have ended, and it is forgotten; 0: never, as kKey

  friend bool operator==(const Revocation&, const Revocation&) = default;
};

// Keeps one more, and forgets those that are over.
using KeepRevocation = std::function<boost::system::result<void>(const Revocation& revocation,
                                                                 std::span<const Revocation> over)>;

// "token", "subject", "key", "label", "session".
std::string_view name_of(Revocation::Kind kind);

// Whether times of this kind are by the clock of tickets.
bool is_by_store(Revocation::Kind kind);

// All that is revoked. It never changes: one more makes another.
//
// Threads: any.
class Revocations {
 public:
  using Steady = base::Clock::Steady;

  Revocations() = default;
  explicit Revocations(const std::vector<Revocation>& all, Steady now);

  // Returns those that may be forgotten when `revocation` is made: all tokens that they name have
  // ended by the time of `revocation`, on the same clock. A clock may go ahead for a while and come
  // back, so they have also been here for as long as such a token lives, in this run of the hub; or
  // the clock is kClockAheadMax beyond their end, since a hub may never run for so long.
  std::vector<Revocation> over(const Revocation& revocation, Steady now) const;

  // Returns these with one more, and without those that are over. The same once more holds from its
  // later time.
  // Cost: a copy.
  Revocations with(const Revocation& revocation, Steady now) const;

  // Of a subject, a token is covered too that says of itself that it was issued after `now`: the
  // clock was set back since it was taken.
  // `leeway`: how far the issuer's clock may be ahead of ours.
  // Cost: three look-ups.
  bool covers(const VerifiedToken& token, NumericDate now, NumericDate leeway) const;

  // The same for a ticket, besides the token that it was minted with.
  bool covers(const std::string& issuer, const std::string& label, NumericDate minted_at) const;

  // Whether all tokens of the key with this kid are covered.
  bool covers_key(const std::string& issuer, const std::optional<std::string>& kid) const;

  std::vector<Revocation> all() const;
  std::size_t size() const { return times_.size(); }

 private:
  using Key = std::tuple<std::string, Revocation::Kind, std::string>;

  struct Times {
    NumericDate at{0};
    NumericDate until{0};
    Steady here_since = {};
  };

  static Revocation revocation_of(const Key& key, const Times& times);
  static bool is_over(const Key& key, const Times& times, const Revocation& by, Steady now);
  const Times* find(const std::string& issuer,
                    Revocation::Kind kind,
                    const std::optional<std::string>& name) const;
  void add(const Revocation& revocation, Steady now);

  std::map<Key, Times, std::less<>> times_;
};

}  // namespace vrelo::auth
