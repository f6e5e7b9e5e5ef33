// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "hub/auth/issuer.h"
#include "hub/auth/key_source.h"
#include "hub/base/clock.h"
#include "hub/base/logging.h"
#include "hub/base/metrics.h"
#include "hub/net/alarm.h"
#include "hub/net/https_get.h"

namespace vrelo {

// How often the keys of an issuer are fetched without a reason, counted from begin to begin.
inline constexpr std::chrono::minutes kKeyFetchInterval{10};

// How often a token whose key is unknown may be the reason.
inline constexpr std::chrono::minutes kKeysWantedInterval{1};

// How long a fetch may last, from the look-up of the name to the last byte.
inline constexpr std::chrono::seconds kKeyFetchTime{5};

// How long keys are taken that could not be fetched again.
inline constexpr std::chrono::hours kKeysAgeMax{24};

// How many may wait for one fetch.
inline constexpr std::size_t kKeyWaitersMax = 100;

// The keys that issuers publish at a URL: fetches them, again and again, and forgets those that its
// issuer does not publish any more. There is at most one fetch at a time for each issuer.
//
// A set that cannot be read changes nothing; a set without keys is one.
//
// Threads: one, that of the alarms, but for figures().
class FetchedKeys {
 public:
  // Begins to fetch a document; see net::https_get().
  using Fetch = std::function<std::unique_ptr<net::Transfer>(net::HttpsRequest request,
                                                             net::Fetched fetched)>;

  // Lifetime: the references outlive the FetchedKeys.
  struct Parts {
    const base::Clock& clock;
    base::Logger& logger;
    net::MakeAlarm make_alarm;
    Fetch fetch;
    std::function<void()> on_change;  // what add_to() says has changed, other than by follow()
  };

  explicit FetchedKeys(Parts parts);
  ~FetchedKeys();

  FetchedKeys(const FetchedKeys&) = delete;
  FetchedKeys& operator=(const FetchedKeys&) = delete;

  // Fetches the keys of these issuers from now on, for the first time at once. What is known of an
  // issuer stays if it has the same name and URL as before.
  void follow(std::span<const auth::Issuer> issuers);

  // Adds what is known to those that follow() was called with, and says who lacks keys: there is no
  // set. A key with the kid of one that is there already is left out.
  void add_to(std::span<auth::Issuer> issuers) const;

  // Calls `done`, from in here or when a fetch ends, and says whether the key may be known now.
  // Begins a fetch where none is under way, and none was begun for this reason for a while. Who
  // finds kKeyWaitersMax others waiting is told at once that it is not.
  //
  // Order: after on_change(), if the key is new.
  using Done = std::function<void(bool)>;
  void want(const auth::KeysWanted& wanted, Done done);

  // Threads: any.
  struct Figures {
    std::uint64_t fetched = 0;
    std::uint64_t failed = 0;
    std::size_t without = 0;  // issuers of whom there is no set, or none that is young enough
  };
  Figures figures() const;

 private:
  using Steady = base::Clock::Steady;
  struct Source;
  struct Waiter;

  void begin(Source& source);
  void end(Source& source, const base::Parsed<std::string>& document);
  bool take(Source& source, const base::Parsed<std::string>& document);
  void tell(Source& source);
  void ring(Source& source);
  void set_alarm(Source& source);
  void count();

  const Parts parts_;
  std::vector<std::unique_ptr<Source>> sources_;

  base::Counter fetched_;
  base::Counter failed_;
  std::atomic<std::size_t> without_{0};
};

}  // namespace vrelo
