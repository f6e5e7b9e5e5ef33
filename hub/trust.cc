// SPDX-License-Identifier: Apache-2.0
#include "hub/trust.h"

#include <string>
#include <utility>

namespace vrelo {

base::Parsed<TrustPtr> read_trust(const base::Settings& settings,
                                  bool local_only,
                                  base::Logger& logger) {
  auto trust = auth::read_trust(settings, local_only);
  if (!trust) {
    return trust.error();
  }
  for (const std::string& note : trust->notes) {
    logger.warning("not taken: {}", note);
  }
  return std::move(trust->policy);
}

}  // namespace vrelo
