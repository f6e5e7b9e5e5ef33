// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string_view>

#include <openssl/evp.h>

namespace vrelo::auth {

// A deleter for what OpenSSL allocates: std::unique_ptr<BIO, Free<BIO_free>>.
template <auto free>
struct Free {
  template <typename T>
  void operator()(T* object) const {
    free(object);
  }
};

inline const unsigned char* bytes_of(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

// Takes over `key`; nullptr stays nullptr.
inline std::shared_ptr<EVP_PKEY> shared(EVP_PKEY* key) {
  return key == nullptr ? nullptr : std::shared_ptr<EVP_PKEY>(key, EVP_PKEY_free);
}

}  // namespace vrelo::auth
