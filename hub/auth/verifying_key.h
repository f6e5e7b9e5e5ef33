// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include <openssl/types.h>

#include "hub/auth/algorithm.h"
#include "hub/auth/digest.h"
#include "hub/base/setting_text.h"

namespace vrelo::auth {

inline constexpr int kRsaBitsMin = 2048;
inline constexpr int kRsaBitsMax = 8192;  // verifying takes time, and anyone may ask for it

// What an operator gave us to tell true tokens by, bound to the one algorithm that it is for: what
// a token says of its algorithm never decides how it is verified.
//
// The makers return a half sentence about why they refuse a key, as "has 1024 bits; ...", that
// follows its name; none repeats a part of the key.
//
// Threads: any.
// Lifetime: copies share the key, which never changes.
class VerifyingKey {
 public:
  // `secret`: at least as many bytes as the algorithm's hash has. Source: RFC 7518 3.2.
  static base::Parsed<VerifyingKey> make_secret(Algorithm algorithm, std::string_view secret);

  // `modulus` and `exponent`: unsigned, the most significant byte first.
  static base::Parsed<VerifyingKey> make_rsa(Algorithm algorithm,
                                             std::string_view modulus,
                                             std::string_view exponent);

  // `x` and `y`: the point's coordinates, each as long as the curve's. The algorithm says which
  // curve it is: a point of another one is none of this curve.
  static base::Parsed<VerifyingKey> make_elliptic_curve(Algorithm algorithm,
                                                        std::string_view x,
                                                        std::string_view y);

  static base::Parsed<VerifyingKey> make_ed25519(std::string_view public_key);

  // Takes a key as OpenSSL has read it.
  static base::Parsed<VerifyingKey> make(Algorithm algorithm, std::shared_ptr<EVP_PKEY> key);

  Algorithm algorithm() const { return algorithm_; }

  // Returns whether it is the same key, for the same algorithm, however it was written. Cost: 32
  // bytes compared.
  bool operator==(const VerifyingKey& other) const { return print_ == other.print_; }

  // What it is known by where it is not at hand: a hash of it and of its algorithm.
  const Digest& print() const { return print_; }

  // Returns whether it is a secret that everybody knows: see is_published_secret().
  bool is_published() const;

  // Returns whether `signature` is this key's signature of `text`.
  //
  // Cost: a hash of `text`; unless the key is a secret, 25 µs (RSA) to 0.7 ms (ES384) more.
  // Source: RFC 7518 3.2 to 3.5, with a salt as long as the hash; RFC 8037 3.1.
  bool verifies(std::string_view text, std::string_view signature) const;

 private:
  VerifyingKey(Algorithm algorithm, std::shared_ptr<EVP_PKEY> key);
  VerifyingKey(Algorithm algorithm, std::string_view secret);

  bool verifies_by_secret(std::string_view text, std::string_view signature) const;
  bool verifies_by_public_key(std::string_view text, std::string_view signature) const;

  Algorithm algorithm_;
  Digest print_{};
  std::shared_ptr<EVP_PKEY> public_key_;       // nullptr: it is a secret
  std::shared_ptr<const std::string> secret_;  // wiped when nobody needs it any more
};

// Returns the hash that an algorithm signs; nullptr: EdDSA, which hashes by itself.
const EVP_MD* hash_of(Algorithm algorithm);

// Whether it is RSA with the padding of PS256 to PS512.
bool is_pss(Algorithm algorithm);

// Returns the bytes of the coordinates of the algorithm's curve: 32, 48 or 66.
std::size_t coordinate_bytes(Algorithm algorithm);

// Returns the name that RFC 7518 gives to the algorithm's curve: "P-256".
std::string_view curve_of(Algorithm algorithm);

}  // namespace vrelo::auth
