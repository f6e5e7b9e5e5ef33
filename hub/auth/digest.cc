// SPDX-License-Identifier: Apache-2.0
#include "hub/auth/digest.h"

#include <cassert>
#include <cstdint>
#include <cstring>

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include "hub/auth/openssl.h"
#include "hub/base/random.h"

namespace vrelo::auth {

Digest sha256(std::string_view text) {
  Digest digest{};
  unsigned int bytes = 0;
  const int done =
      EVP_Digest(text.data(), text.size(), digest.data(), &bytes, EVP_sha256(), nullptr);
  assert(done == 1);
  assert(bytes == digest.size());
  return digest;
}

Digest hmac_sha256(const Digest& key, std::string_view text) {
  Digest digest{};
  std::size_t bytes = 0;
  const auto* const made =
      EVP_Q_mac(nullptr, "HMAC", nullptr, "SHA256", nullptr, key.data(), key.size(), bytes_of(text),
                text.size(), digest.data(), digest.size(), &bytes);
  assert(made != nullptr);
  assert(bytes == digest.size());
  return digest;
}

Digest random_digest() {
  Digest digest{};
  for (std::size_t at = 0; at < digest.size(); at += sizeof(std::uint64_t)) {
    const std::uint64_t value = base::random_value();
    std::memcpy(digest.data() + at, &value, sizeof(value));
  }
  return digest;
}

}  // namespace vrelo::auth
