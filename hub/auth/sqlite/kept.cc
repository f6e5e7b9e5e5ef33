// SPDX-License-Identifier: Apache-2.0
#include "hub/auth/sqlite/kept.h"

#include <algorithm>
#include <chrono>
#include <utility>

namespace vrelo::auth::sqlite {

base::Parsed<Kept> keep_beside(const std::string& log_file) {
  auto revocations = keep_revocations(log_file);
  auto tickets = keep_tickets(log_file);
  if (!revocations || !tickets) {
    return revocations ? tickets.error() : revocations.error();
  }
  // Else tickets of a label that was revoked while the time of day was ahead would be dead when
  // they are minted, until it is there again.
  for (const Revocation& revocation : revocations->revocations) {
    if (is_by_store(revocation.kind)) {
      const auto after = std::chrono::floor<StoreTime>(revocation.at) + StoreTime(1);
      tickets->last = std::max(tickets->last, after);
    }
  }
  return Kept{.revocations = *std::move(revocations), .tickets = *std::move(tickets)};
}

}  // namespace vrelo::auth::sqlite
