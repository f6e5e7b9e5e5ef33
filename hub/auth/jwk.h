// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>

#include <openssl/types.h>
#include <boost/json/object.hpp>

#include "hub/auth/jws.h"
#include "hub/auth/key_set.h"
#include "hub/base/setting_text.h"

namespace vrelo::auth {

// What a JWK turned out to be: a key, or one for another purpose.
struct ReadJwk {
  std::optional<NamedKey> key = {};
  std::string why_not = {};  // "its use is not sig"; "" beside a key
};

// Reads one JWK. `where` comes before the names of its members in what is said of it: "keys[2]."
base::Parsed<ReadJwk> read_jwk(const boost::json::object& jwk,
                               const std::string& where,
                               const KeySetOptions& options);

// Returns the algorithm of a key of `kind` that does not name its own.
Algorithm default_algorithm(KeyKind kind, const KeySetOptions& options);

// Returns the algorithm that a key as OpenSSL has read it is for; nullopt: it signs no tokens.
std::optional<Algorithm> algorithm_of(EVP_PKEY* key, const KeySetOptions& options);

}  // namespace vrelo::auth
