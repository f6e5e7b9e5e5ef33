// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <string_view>

namespace vrelo::auth {

// 32 bytes: a SHA-256, or as many random ones.
using Digest = std::array<unsigned char, 32>;

Digest sha256(std::string_view text);

// Source: RFC 2104, with SHA-256.
Digest hmac_sha256(const Digest& key, std::string_view text);

// Returns 256 bits that nobody can foretell.
Digest random_digest();

// Lifetime: that of `digest`.
inline std::string_view raw_bytes(const Digest& digest) {
  return {reinterpret_cast<const char*>(digest.data()), digest.size()};
}

}  // namespace vrelo::auth
