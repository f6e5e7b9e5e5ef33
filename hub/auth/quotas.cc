// SPDX-License-Identifier: Apache-2.0
#include "hub/auth/quotas.h"

#include <algorithm>
#include <cassert>
#include <chrono>
#include <string>

#include <fmt/format.h>
#include <openssl/evp.h>

namespace vrelo::auth {
namespace {

constexpr std::chrono::nanoseconds kSecond = std::chrono::seconds(1);

}  // namespace

std::optional<Quota::Place> Quota::open_stream(std::shared_ptr<Quota> quota,
                                               std::size_t streams_max) {
  std::size_t open = quota->streams_.load();
  do {
    if (streams_max != 0 && open >= streams_max) {
      return std::nullopt;
    }
  } while (!quota->streams_.compare_exchange_weak(open, open + 1));
  return Place(std::move(quota));
}

bool Quota::publish(std::size_t per_second, Steady now) {
  if (per_second == 0) {
    return true;
  }
  Steady::rep before = paid_until_.load();
  Steady after;
  do {
    after = paid_until(before, per_second, now);
    if (after - now > kSecond) {
      return false;
    }
  } while (!paid_until_.compare_exchange_weak(before, after.time_since_epoch().count()));
  return true;
}

bool Quota::is_used_up(std::size_t per_second, Steady now) const {
  return per_second != 0 && paid_until(paid_until_.load(), per_second, now) - now > kSecond;
}

// Returns what one more event would move it on to.
Quota::Steady Quota::paid_until(Steady::rep before, std::size_t per_second, Steady now) {
  const auto cost = kSecond / static_cast<std::chrono::nanoseconds::rep>(per_second);
  return std::max(Steady(Steady::duration(before)), now) + cost;
}

std::shared_ptr<Quota> Quotas::of(std::string_view issuer, std::string_view subject) {
  const Hash hash = hash_of(issuer, subject);
  const std::lock_guard lock(mutex_);
  if (const auto found = known_.find(hash); found != known_.end()) {
    return found->second;
  }
  forget_unused();
  return known_.emplace(hash, std::make_shared<Quota>()).first->second;
}

std::size_t Quotas::size() const {
  const std::lock_guard lock(mutex_);
  return known_.size();
}

Quotas::Hash Quotas::hash_of(std::string_view issuer, std::string_view subject) {
  Hash hash{};
  const std::string text = fmt::format("{} {}{}", issuer.size(), issuer, subject);
  unsigned int bytes = 0;
  const int hashed =
      EVP_Digest(text.data(), text.size(), hash.data(), &bytes, EVP_sha256(), nullptr);
  assert(hashed == 1);
  assert(bytes == hash.size());
  return hash;
}

// Looks through all of them each time their number has doubled. One that only this has can be given
// to nobody meanwhile.
void Quotas::forget_unused() {
  if (known_.size() < sweep_at_) {
    return;
  }
  std::erase_if(known_, [now = clock_.steady()](const auto& entry) {
    return entry.second.use_count() == 1 && entry.second->is_idle(now);
  });
  sweep_at_ = std::max(kSweepMin, 2 * known_.size());
}

}  // namespace vrelo::auth
