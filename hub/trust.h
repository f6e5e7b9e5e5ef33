// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "hub/auth/trust.h"
#include "hub/base/logging.h"
#include "hub/base/settings.h"

namespace vrelo {

using TrustPtr = std::shared_ptr<const auth::TrustPolicy>;

// auth::read_trust(), with a line in the log for each key that is not taken.
base::Parsed<TrustPtr> read_trust(const base::Settings& settings,
                                  bool local_only,
                                  base::Logger& logger);

}  // namespace vrelo
