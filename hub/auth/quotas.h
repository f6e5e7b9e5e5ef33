// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <limits>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string_view>
#include <utility>

#include "hub/base/clock.h"

namespace vrelo::auth {

// What one subject of an issuer may do. 0: as much as it wants.
struct QuotaLimits {
  std::size_t streams_max = 0;           // open at once
  std::size_t publishes_per_second = 0;  // and as many at one go

  // What TicketBook goes by; nullopt: its own limits.
  std::optional<std::size_t> tickets_per_minute = {};
  std::optional<std::size_t> tickets_unused = {};

  // Whether it needs a Quota.
  bool any() const { return streams_max != 0 || publishes_per_second != 0; }

  friend bool operator==(const QuotaLimits&, const QuotaLimits&) = default;
};

// What one subject of an issuer does, on the whole node: how many streams it has open, and how much
// of its next second it has used up by publishing.
//
// Threads: any; no lock.
// Lifetime: shared by all that the subject does.
class Quota {
  using Steady = base::Clock::Steady;

 public:
  // The right of one stream to be open. Gives it back when it is destroyed.
  class Place {
   public:
    Place() = default;  // nobody's
    Place(Place&& other) noexcept = default;
    Place& operator=(Place&& other) noexcept {
      std::swap(quota_, other.quota_);
      return *this;
    }
    ~Place() {
      if (quota_ != nullptr) {
        quota_->streams_.fetch_sub(1);
      }
    }

   private:
    friend class Quota;
    explicit Place(std::shared_ptr<Quota> quota) : quota_(std::move(quota)) {}

    std::shared_ptr<Quota> quota_;
  };

  Quota() = default;
  Quota(const Quota&) = delete;
  Quota& operator=(const Quota&) = delete;

  // Returns the place of one more stream; nullopt: there are `streams_max` (0: no limit).
  static std::optional<Place> open_stream(std::shared_ptr<Quota> quota, std::size_t streams_max);

  // Returns whether one more event may be published `now`; then it is counted. False passes within
  // a second. `per_second`: 0: no limit.
  bool publish(std::size_t per_second, Steady now);

  std::size_t streams() const { return streams_.load(); }

  // Whether publish() would return false.
  bool is_used_up(std::size_t per_second, Steady now) const;

  // Whether all that was published is paid for, so that a new Quota would say the same.
  bool is_idle(Steady now) const { return Steady(Steady::duration(paid_until_.load())) <= now; }

 private:
  static Steady paid_until(Steady::rep before, std::size_t per_second, Steady now);

  std::atomic<std::size_t> streams_{0};

  // Each event moves it on by its part of a second, from now at least.
  std::atomic<Steady::rep> paid_until_{std::numeric_limits<Steady::rep>::min()};
};

// The quotas of a node, by issuer and subject.
//
// What nobody has any more is forgotten as soon as it would not count. So there are at most twice
// as many as there are streams, tokens that shards remember, and subjects that have published in
// the last second.
//
// Threads: any; a short lock when a token is verified, none for what it does.
class Quotas {
 public:
  // Lifetime: `clock` outlives it.
  explicit Quotas(const base::Clock& clock) : clock_(clock) {}

  Quotas(const Quotas&) = delete;
  Quotas& operator=(const Quotas&) = delete;

  // Returns that of a subject; "": all tokens of the issuer that name none, which share one.
  std::shared_ptr<Quota> of(std::string_view issuer, std::string_view subject);

  std::size_t size() const;

 private:
  // Of both, so that it does not matter how long names are.
  using Hash = std::array<unsigned char, 32>;
  static Hash hash_of(std::string_view issuer, std::string_view subject);

  void forget_unused();  // needs the lock

  const base::Clock& clock_;
  mutable std::mutex mutex_;
  std::map<Hash, std::shared_ptr<Quota>> known_;
  std::size_t sweep_at_ = kSweepMin;  // how many known_ holds when those that do not count go

  static constexpr std::size_t kSweepMin = 64;
};

}  // namespace vrelo::auth
