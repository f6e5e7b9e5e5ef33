// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <openssl/types.h>

#include "hub/auth/algorithm.h"
#include "hub/auth/verifying_key.h"
#include "hub/base/setting_text.h"

namespace vrelo::auth {

// What makes tokens: a secret, or a private key. The hub has no use for one; `vrelo token` has.
//
// Threads: one at a time.
// Lifetime: copies share the key, which is wiped with the last of them.
class SigningKey {
 public:
  // Reads a secret from a JWK with kty oct, or a private key from PEM, that is not encrypted.
  // `algorithm` is for an RSA key or a secret that does not say what it is for; without it they are
  // for RS256 and HS256.
  //
  // Errors: a sentence that repeats nothing of the key.
  static base::Parsed<SigningKey> parse(std::string_view text, std::optional<Algorithm> algorithm);

  Algorithm algorithm() const { return verifying_.algorithm(); }
  const std::optional<std::string>& kid() const { return kid_; }

  // What its tokens are verified by.
  const VerifyingKey& verifying() const { return verifying_; }

  // Returns the signature of `text`, as a JWS has it before it is encoded.
  //
  // Source: RFC 7518 3.2 to 3.5, RFC 8037 3.1.
  std::string sign(std::string_view text) const;

 private:
  SigningKey(VerifyingKey verifying, std::shared_ptr<EVP_PKEY> key, std::optional<std::string> kid);

  static base::Parsed<SigningKey> parse_secret(std::string_view text,
                                               std::optional<Algorithm> algorithm);
  static base::Parsed<SigningKey> parse_pem(std::string_view text,
                                            std::optional<Algorithm> algorithm);

  VerifyingKey verifying_;
  std::shared_ptr<EVP_PKEY> key_;
  std::optional<std::string> kid_;
};

// Returns the compact JWS of `payload`, a JSON object, with the type of an access token.
std::string make_access_token(std::string_view payload, const SigningKey& key);

}  // namespace vrelo::auth
