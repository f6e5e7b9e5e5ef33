// SPDX-License-Identifier: Apache-2.0
#include "hub/auth/signing_key.h"

#include <cassert>
#include <utility>

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/crypto.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include "hub/auth/base64url.h"
#include "hub/auth/json.h"
#include "hub/auth/jwk.h"
#include "hub/auth/openssl.h"

namespace vrelo::auth {
namespace {

using base::Fault;
using base::Parsed;

// A key that is encrypted would make OpenSSL ask the terminal for its password.
int no_password(char* /*buffer*/, int /*size*/, int /*writes*/, void* /*user*/) {
  return -1;
}

// Returns both numbers of a signature in DER, each as long as the curve's coordinates.
std::string without_der(std::string_view der, std::size_t half) {
  const unsigned char* at = bytes_of(der);
  const std::unique_ptr<ECDSA_SIG, Free<ECDSA_SIG_free>> pair(
      d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(der.size())));
  assert(pair);
  std::string bytes(2 * half, '\0');
  auto* const out = reinterpret_cast<unsigned char*>(bytes.data());
  BN_bn2binpad(ECDSA_SIG_get0_r(pair.get()), out, static_cast<int>(half));
  BN_bn2binpad(ECDSA_SIG_get0_s(pair.get()), out + half, static_cast<int>(half));
  return bytes;
}

}  // namespace

SigningKey::SigningKey(VerifyingKey verifying,
                       std::shared_ptr<EVP_PKEY> key,
                       std::optional<std::string> kid)
    : verifying_(std::move(verifying)), key_(std::move(key)), kid_(std::move(kid)) {
  assert(key_);
}

Parsed<SigningKey> SigningKey::parse(std::string_view text, std::optional<Algorithm> algorithm) {
  const std::size_t first = text.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos) {
    return Fault{"it is empty"};
  }
  ERR_clear_error();
  auto key = text[first] == '{' ? parse_secret(text, algorithm) : parse_pem(text, algorithm);
  ERR_clear_error();
  return key;
}

Parsed<SigningKey> SigningKey::parse_secret(std::string_view text,
                                            std::optional<Algorithm> algorithm) {
  const auto jwk = parse_json_object(text);
  if (!jwk) {
    return Fault{"it is not a JWK: " + jwk.error().message()};
  }
  const auto* const kty = jwk->if_contains("kty");
  if (kty == nullptr || *kty != "oct") {
    return Fault{"it is a JWK, but no secret (kty oct); a private key has to be in PEM"};
  }
  auto read = read_jwk(*jwk, "", {.algorithm = algorithm});
  if (!read) {
    return read.error();
  }
  if (!read->key) {
    return Fault{"the key is not for tokens: " + read->why_not};
  }
  auto decoded = decode_base64url(text_of(jwk->at("k").as_string()));
  assert(decoded);  // read_jwk() has looked
  std::string& secret = *decoded;
  auto key =
      shared(EVP_PKEY_new_raw_private_key(EVP_PKEY_HMAC, nullptr, bytes_of(secret), secret.size()));
  OPENSSL_cleanse(secret.data(), secret.size());
  return SigningKey(std::move(read->key->key), std::move(key), std::move(read->key->kid));
}

Parsed<SigningKey> SigningKey::parse_pem(std::string_view text,
                                         std::optional<Algorithm> algorithm) {
  const std::unique_ptr<BIO, Free<BIO_free>> in(
      BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
  auto key = shared(PEM_read_bio_PrivateKey(in.get(), nullptr, no_password, nullptr));
  if (!key) {
    return Fault{
        "it holds no key that signs: neither a JWK with kty oct, nor a private key in PEM that is "
        "not encrypted"};
  }
  const auto its_algorithm = algorithm_of(key.get(), {.algorithm = algorithm});
  if (!its_algorithm) {
    return Fault{"the key is not RSA, not Ed25519, and not of the curves P-256, P-384 and P-521"};
  }
  auto verifying = VerifyingKey::make(*its_algorithm, key);
  if (!verifying) {
    return Fault{"the key " + verifying.error().message};
  }
  return SigningKey(*std::move(verifying), std::move(key), std::nullopt);
}

std::string SigningKey::sign(std::string_view text) const {
  const std::unique_ptr<EVP_MD_CTX, Free<EVP_MD_CTX_free>> context(EVP_MD_CTX_new());
  assert(context);
  EVP_PKEY_CTX* options = nullptr;
  [[maybe_unused]] int done =
      EVP_DigestSignInit(context.get(), &options, hash_of(algorithm()), nullptr, key_.get());
  assert(done == 1);
  if (is_pss(algorithm())) {
    done = EVP_PKEY_CTX_set_rsa_padding(options, RSA_PKCS1_PSS_PADDING);
    assert(done == 1);
    done = EVP_PKEY_CTX_set_rsa_pss_saltlen(options, RSA_PSS_SALTLEN_DIGEST);
    assert(done == 1);
  }
  std::size_t bytes = 0;
  done = EVP_DigestSign(context.get(), nullptr, &bytes, bytes_of(text), text.size());
  assert(done == 1);
  std::string signature(bytes, '\0');
  done = EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(signature.data()), &bytes,
                        bytes_of(text), text.size());
  assert(done == 1);
  signature.resize(bytes);
  return kind_of(algorithm()) == KeyKind::kEllipticCurve
             ? without_der(signature, coordinate_bytes(algorithm()))
             : signature;
}

std::string make_access_token(std::string_view payload, const SigningKey& key) {
  boost::json::object header{{"typ", "at+jwt"}, {"alg", name_of(key.algorithm())}};
  if (key.kid()) {
    header["kid"] = *key.kid();
  }
  const std::string text =
      encode_base64url(boost::json::serialize(header)) + '.' + encode_base64url(payload);
  return text + '.' + encode_base64url(key.sign(text));
}

}  // namespace vrelo::auth
