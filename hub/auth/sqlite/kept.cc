// SPDX-License-Identifier: Apache-2.0
#include "hub/auth/sqlite/kept.h"

#include <utility>

namespace vrelo::auth::sqlite {

base::Parsed<Kept> keep_beside(const std::string& log_file) {
  auto revocations = keep_revocations(log_file);
  auto tickets = keep_tickets(log_file);
  if (!revocations || !tickets) {
    return revocations ? tickets.error() : revocations.error();
  }
  return Kept{.revocations = *std::move(revocations), .tickets = *std::move(tickets)};
}

}  // namespace vrelo::auth::sqlite
