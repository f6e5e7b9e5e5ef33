// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cassert>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include "hub/auth/algorithm.h"
#include "hub/auth/base64url.h"
#include "hub/auth/verifying_key.h"

namespace vrelo::auth::testing {

// Signs tokens for tests. The product only verifies.
class SigningKey {
 public:
  static constexpr std::string_view kSecret =
      "a secret for tests, of 64 bytes, so that it is enough for HS512!";
  static_assert(kSecret.size() == 64);

  // Makes a fresh key. But for the HS algorithms it is kSecret, and RSA's are the same one all the
  // time, because it takes long to make one.
  explicit SigningKey(Algorithm algorithm) : algorithm_(algorithm) {
    switch (kind_of(algorithm)) {
      case KeyKind::kSecret:
        key_ = secret_key(kSecret);
        break;
      case KeyKind::kRsa:
        key_ = rsa_key();
        break;
      case KeyKind::kEllipticCurve:
        key_ = own(EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", curve_of(algorithm).data()));
        break;
      case KeyKind::kEd25519:
        key_ = own(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"));
        break;
    }
    assert(key_);
  }

  // Signs for another algorithm with the key of `other`.
  SigningKey(Algorithm algorithm, const SigningKey& other)
      : algorithm_(algorithm), key_(other.key_) {}

  // Signs with any bytes as a secret.
  SigningKey(Algorithm algorithm, std::string_view secret)
      : algorithm_(algorithm), key_(secret_key(secret)) {}

  // PSS allows salts of any length, JWS only as long as the hash.
  void set_salt_bytes(int bytes) { salt_bytes_ = bytes; }

  VerifyingKey verifying() const {
    if (kind_of(algorithm_) == KeyKind::kSecret) {
      return *VerifyingKey::make_secret(algorithm_, kSecret);
    }
    return *VerifyingKey::make(algorithm_, key_);
  }

  std::string sign(std::string_view text) const {
    EVP_MD_CTX* const context = EVP_MD_CTX_new();
    EVP_PKEY_CTX* options = nullptr;
    require(EVP_DigestSignInit(context, &options, hash(), nullptr, key_.get()));
    const std::string_view name = name_of(algorithm_);
    if (name.starts_with("PS")) {
      require(EVP_PKEY_CTX_set_rsa_padding(options, RSA_PKCS1_PSS_PADDING));
      require(EVP_PKEY_CTX_set_rsa_pss_saltlen(options, salt_bytes_));
    }
    std::array<unsigned char, 2048> signature{};
    std::size_t bytes = signature.size();
    require(EVP_DigestSign(context, signature.data(), &bytes,
                           reinterpret_cast<const unsigned char*>(text.data()), text.size()));
    EVP_MD_CTX_free(context);
    const std::string result(reinterpret_cast<const char*>(signature.data()), bytes);
    return kind_of(algorithm_) == KeyKind::kEllipticCurve ? without_der(result) : result;
  }

  std::string public_pem() const {
    return pem([this](BIO* out) { return PEM_write_bio_PUBKEY(out, key_.get()); });
  }

  // The public key, of EdDSA, as a JWK.
  std::string public_jwk(std::string_view kid) const {
    std::array<unsigned char, 32> bytes{};
    std::size_t size = bytes.size();
    require(EVP_PKEY_get_raw_public_key(key_.get(), bytes.data(), &size));
    return std::string(R"({"kty":"OKP","crv":"Ed25519","kid":")") + std::string(kid) +
           R"(","x":")" + encode_base64url({reinterpret_cast<const char*>(bytes.data()), size}) +
           "\"}";
  }

  std::string private_pem() const {
    return pem([this](BIO* out) {
      return PEM_write_bio_PrivateKey(out, key_.get(), nullptr, nullptr, 0, nullptr, nullptr);
    });
  }

 private:
  static std::shared_ptr<EVP_PKEY> own(EVP_PKEY* key) { return {key, EVP_PKEY_free}; }

  static std::shared_ptr<EVP_PKEY> secret_key(std::string_view secret) {
    return own(EVP_PKEY_new_raw_private_key(EVP_PKEY_HMAC, nullptr,
                                            reinterpret_cast<const unsigned char*>(secret.data()),
                                            secret.size()));
  }

  static std::shared_ptr<EVP_PKEY> rsa_key() {
    static const auto key = own(EVP_PKEY_Q_keygen(nullptr, nullptr, "RSA", std::size_t{2048}));
    return key;
  }

  static void require(int result) {
    assert(result == 1);
    static_cast<void>(result);
  }

  const EVP_MD* hash() const {
    const std::string_view name = name_of(algorithm_);
    if (name.ends_with("256")) {
      return EVP_sha256();
    }
    if (name.ends_with("384")) {
      return EVP_sha384();
    }
    return name.ends_with("512") ? EVP_sha512() : nullptr;
  }

  std::string without_der(const std::string& der) const {
    const auto* begin = reinterpret_cast<const unsigned char*>(der.data());
    ECDSA_SIG* const pair = d2i_ECDSA_SIG(nullptr, &begin, static_cast<long>(der.size()));
    assert(pair != nullptr);
    const auto half = static_cast<int>(coordinate_bytes(algorithm_));
    std::array<unsigned char, 132> bytes{};
    BN_bn2binpad(ECDSA_SIG_get0_r(pair), bytes.data(), half);
    BN_bn2binpad(ECDSA_SIG_get0_s(pair), bytes.data() + half, half);
    ECDSA_SIG_free(pair);
    return {reinterpret_cast<const char*>(bytes.data()), 2 * static_cast<std::size_t>(half)};
  }

  template <typename Write>
  static std::string pem(const Write& write) {
    BIO* const out = BIO_new(BIO_s_mem());
    require(write(out));
    char* text = nullptr;
    const long bytes = BIO_get_mem_data(out, &text);
    std::string result(text, static_cast<std::size_t>(bytes));
    BIO_free(out);
    return result;
  }

  Algorithm algorithm_;
  std::shared_ptr<EVP_PKEY> key_;
  int salt_bytes_ = RSA_PSS_SALTLEN_DIGEST;
};

// Returns the token of `header` and `payload`, as they are, signed by `key`.
inline std::string make_token(std::string_view header,
                              std::string_view payload,
                              const SigningKey& key) {
  const std::string text = encode_base64url(header) + "." + encode_base64url(payload);
  return text + "." + encode_base64url(key.sign(text));
}

}  // namespace vrelo::auth::testing
