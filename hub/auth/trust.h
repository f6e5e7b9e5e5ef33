// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "hub/auth/authenticator.h"
#include "hub/base/settings.h"

namespace vrelo::auth {

// Whom the hub trusts, as the settings and the key files say just now.
struct Trust {
  std::shared_ptr<const TrustPolicy> policy = {};  // nullptr: there are no issuers, so no
                                                   // authorization; without keys from a URL

  // For the log, a sentence each: what else stands in a key file.
  std::vector<std::string> notes = {};
};

// Reads the keys of `settings.issuers` that are in files.
//
// Errors: a message for the operator, which names the issuer and the file; nothing of a key is in
// it. A key that no token would be tried with is refused, and a secret that everybody knows
// unless it is `local_only`: nobody but this machine can reach the hub.
// Cost: reads the files.
base::Parsed<Trust> read_trust(const base::Settings& settings, bool local_only);

}  // namespace vrelo::auth
