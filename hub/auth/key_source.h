// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "hub/base/https_url.h"

namespace vrelo::auth {

// Where an issuer publishes its keys.
//
// Threads: any; it never changes.
struct KeySource {
  base::HttpsUrl url = {};
  std::string ca = {};  // who signs for its server, in PEM; "": those whom the system trusts

  friend bool operator==(const KeySource&, const KeySource&) = default;
};

// It is itself by its address: a reload makes another.
using KeySourcePtr = std::shared_ptr<const KeySource>;

// A key that a token may be signed with, and that is not known.
struct KeysWanted {
  std::optional<std::string> kid = {};     // nullopt: the token has none
  std::vector<KeySourcePtr> sources = {};  // that may have it by now; empty: none
};

}  // namespace vrelo::auth
