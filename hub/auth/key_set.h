// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "hub/auth/algorithm.h"
#include "hub/auth/jws.h"
#include "hub/base/setting_text.h"

namespace vrelo::auth {

inline constexpr std::size_t kKeySetBytesMax = std::size_t{256} << 10;
inline constexpr std::size_t kKeysMax = 100;

// The keys that were found in one place.
struct KeySet {
  std::vector<NamedKey> keys = {};  // no two have the same kid; a published set may be empty

  // What else stood there, as in "keys[2]: its use is not sig". Sets are made for several purposes,
  // so that keys of other kinds are no mistake.
  std::vector<std::string> skipped = {};
};

struct KeySetOptions {
  // For keys that do not say what they are for: the algorithm of those that it fits. RSA keys that
  // it does not fit are for RS256, secrets for HS256; of the others only one is possible.
  std::optional<Algorithm> algorithm = {};

  bool takes_secrets = true;  // false for a set that somebody else may read
};

// Reads public keys in PEM (SubjectPublicKeyInfo, or PKCS #1 for RSA), a JWK, or a set of JWKs.
//
// Errors: what is wrong and where, as in "keys[2].n has 1024 bits; an RSA key needs 2048 to 8192".
// A key that is private is refused wherever it stands, because it has been where it does not
// belong; so are a set that has secrets beside public keys and one with a kid twice. Nothing of a
// key is repeated.
// Source: RFC 7517, RFC 7518 6, RFC 8037 2, RFC 7468 13.
base::Parsed<KeySet> parse_key_set(std::string_view text, const KeySetOptions& options = {});

// As parse_key_set(), for a set that its owner publishes: a set of JWKs without secrets. It may
// have no keys, when none is good any more.
base::Parsed<KeySet> parse_published_set(std::string_view text, const KeySetOptions& options = {});

// As parse_key_set(), for a file. What it has to say begins with the file's path.
base::Parsed<KeySet> read_key_set(const std::string& path, const KeySetOptions& options = {});

}  // namespace vrelo::auth
