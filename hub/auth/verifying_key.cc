// SPDX-License-Identifier: Apache-2.0
#include "hub/auth/verifying_key.h"

#include <array>
#include <cassert>
#include <optional>
#include <utility>

#include <fmt/format.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include "hub/auth/openssl.h"
#include "hub/auth/published_secrets.h"
#include "hub/auth/roca.h"

namespace vrelo::auth {
namespace {

using base::Fault;
using base::Parsed;

using BnPtr = std::unique_ptr<BIGNUM, Free<BN_free>>;
using SigPtr = std::unique_ptr<ECDSA_SIG, Free<ECDSA_SIG_free>>;
using MdCtxPtr = std::unique_ptr<EVP_MD_CTX, Free<EVP_MD_CTX_free>>;
using PkeyCtxPtr = std::unique_ptr<EVP_PKEY_CTX, Free<EVP_PKEY_CTX_free>>;
using ParamBldPtr = std::unique_ptr<OSSL_PARAM_BLD, Free<OSSL_PARAM_BLD_free>>;
using ParamsPtr = std::unique_ptr<OSSL_PARAM, Free<OSSL_PARAM_free>>;

struct Curve {
  std::string_view name;
  const char* group;  // OpenSSL's name of it
  std::size_t coordinate_bytes;
};

constexpr Curve kP256{"P-256", "prime256v1", 32};
constexpr Curve kP384{"P-384", "secp384r1", 48};
constexpr Curve kP521{"P-521", "secp521r1", 66};

constexpr std::size_t kEd25519KeyBytes = 32;
constexpr std::size_t kEd25519SignatureBytes = 64;

// Two numbers of 66 bytes, each perhaps with a zero before it, and what DER says of them.
constexpr std::size_t kDerBytesMax = 2 * (66 + 1 + 2) + 3;

// What OpenSSL has noted of a failure would be taken for that of somebody else's call.
class ErrorQueueCleaner {
 public:
  ErrorQueueCleaner() = default;
  ErrorQueueCleaner(const ErrorQueueCleaner&) = delete;
  ErrorQueueCleaner& operator=(const ErrorQueueCleaner&) = delete;
  ~ErrorQueueCleaner() { ERR_clear_error(); }
};

Digest print_of(Algorithm algorithm, std::string_view key) {
  return sha256(fmt::format("{}:{}", name_of(algorithm), key));
}

const Curve& curve(Algorithm algorithm) {
  assert(kind_of(algorithm) == KeyKind::kEllipticCurve);
  if (algorithm == Algorithm::kEs256) {
    return kP256;
  }
  return algorithm == Algorithm::kEs384 ? kP384 : kP521;
}

// Returns nullptr where OpenSSL refuses the parameters.
std::shared_ptr<EVP_PKEY> key_from(const char* type, OSSL_PARAM_BLD* builder) {
  const ParamsPtr params(OSSL_PARAM_BLD_to_param(builder));
  const PkeyCtxPtr context(EVP_PKEY_CTX_new_from_name(nullptr, type, nullptr));
  EVP_PKEY* key = nullptr;
  if (!params || !context || EVP_PKEY_fromdata_init(context.get()) != 1 ||
      EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_PUBLIC_KEY, params.get()) != 1) {
    return nullptr;
  }
  return shared(key);
}

BnPtr number_of(std::string_view bytes) {
  return BnPtr(BN_bin2bn(bytes_of(bytes), static_cast<int>(bytes.size()), nullptr));
}

// `x` and `y`: as in VerifyingKey::make_elliptic_curve(). Returns nullptr for what is no point.
std::shared_ptr<EVP_PKEY> key_of_point(Algorithm algorithm,
                                       std::string_view x,
                                       std::string_view y) {
  constexpr char kUncompressed = 4;
  const std::string point = std::string(1, kUncompressed).append(x).append(y);
  const ParamBldPtr builder(OSSL_PARAM_BLD_new());
  if (!builder ||
      OSSL_PARAM_BLD_push_utf8_string(builder.get(), OSSL_PKEY_PARAM_GROUP_NAME,
                                      curve(algorithm).group, 0) != 1 ||
      OSSL_PARAM_BLD_push_octet_string(builder.get(), OSSL_PKEY_PARAM_PUB_KEY, point.data(),
                                       point.size()) != 1) {
    return nullptr;
  }
  return key_from("EC", builder.get());
}

BnPtr number_in(const EVP_PKEY* key, const char* name) {
  BIGNUM* number = nullptr;
  EVP_PKEY_get_bn_param(key, name, &number);
  return BnPtr(number);
}

std::optional<Fault> find_rsa_fault(const EVP_PKEY* key) {
  const BnPtr modulus = number_in(key, OSSL_PKEY_PARAM_RSA_N);
  const BnPtr exponent = number_in(key, OSSL_PKEY_PARAM_RSA_E);
  if (!modulus || !exponent) {
    return Fault{"is not an RSA key"};
  }
  const int bits = BN_num_bits(modulus.get());
  if (bits < kRsaBitsMin || bits > kRsaBitsMax) {
    return Fault{
        fmt::format("has {} bits; an RSA key needs {} to {}", bits, kRsaBitsMin, kRsaBitsMax)};
  }
  if (BN_is_odd(modulus.get()) == 0) {
    return Fault{"has an even modulus"};
  }
  constexpr int kExponentBitsMax = 64;  // OpenSSL's limit
  if (BN_is_odd(exponent.get()) == 0 || BN_is_one(exponent.get()) == 1 ||
      BN_num_bits(exponent.get()) > kExponentBitsMax) {
    return Fault{"has an exponent that is not an odd number from 3 to 2^64"};
  }
  if (has_roca_fingerprint(*modulus)) {
    return Fault{"is weak: it was made by a faulty chip (CVE-2017-15361)"};
  }
  return std::nullopt;
}

std::optional<Fault> find_curve_fault(Algorithm algorithm, EVP_PKEY* key) {
  std::array<char, 64> group{};
  std::size_t group_bytes = 0;
  if (EVP_PKEY_get_group_name(key, group.data(), group.size(), &group_bytes) != 1 ||
      std::string_view(group.data(), group_bytes) != curve(algorithm).group) {
    return Fault{fmt::format("is not of the curve {}, as {} needs", curve(algorithm).name,
                             name_of(algorithm))};
  }
  const PkeyCtxPtr context(EVP_PKEY_CTX_new_from_pkey(nullptr, key, nullptr));
  if (!context || EVP_PKEY_public_check(context.get()) != 1) {
    return Fault{"is not a point of its curve"};
  }
  return std::nullopt;
}

// Returns the same key as if it had been made of its coordinates: what one file has as a compressed
// point may be whole in another, and is to have one print. nullptr: for want of memory.
std::shared_ptr<EVP_PKEY> usual_form(Algorithm algorithm, const EVP_PKEY* key) {
  const BnPtr x = number_in(key, OSSL_PKEY_PARAM_EC_PUB_X);
  const BnPtr y = number_in(key, OSSL_PKEY_PARAM_EC_PUB_Y);
  const std::size_t bytes = coordinate_bytes(algorithm);
  std::string point(2 * bytes, '\0');
  auto* const out = reinterpret_cast<unsigned char*>(point.data());
  if (!x || !y || BN_bn2binpad(x.get(), out, static_cast<int>(bytes)) < 0 ||
      BN_bn2binpad(y.get(), out + bytes, static_cast<int>(bytes)) < 0) {
    return nullptr;
  }
  const std::string_view both = point;
  return key_of_point(algorithm, both.substr(0, bytes), both.substr(bytes));
}

// Writes the signature as OpenSSL reads it and returns its length; 0: it is no signature.
std::size_t write_der(std::string_view signature, std::array<unsigned char, kDerBytesMax>& der) {
  const std::size_t half = signature.size() / 2;
  BnPtr r = number_of(signature.substr(0, half));
  BnPtr s = number_of(signature.substr(half));
  const SigPtr pair(ECDSA_SIG_new());
  if (!r || !s || !pair || ECDSA_SIG_set0(pair.get(), r.get(), s.get()) != 1) {
    return 0;
  }
  static_cast<void>(r.release());
  static_cast<void>(s.release());
  const int bytes = i2d_ECDSA_SIG(pair.get(), nullptr);
  if (bytes <= 0) {
    return 0;
  }
  assert(static_cast<std::size_t>(bytes) <= der.size());
  unsigned char* end = der.data();
  return static_cast<std::size_t>(i2d_ECDSA_SIG(pair.get(), &end));
}

}  // namespace

bool is_pss(Algorithm algorithm) {
  return algorithm == Algorithm::kPs256 || algorithm == Algorithm::kPs384 ||
         algorithm == Algorithm::kPs512;
}

const EVP_MD* hash_of(Algorithm algorithm) {
  switch (algorithm) {
    case Algorithm::kHs256:
    case Algorithm::kRs256:
    case Algorithm::kPs256:
    case Algorithm::kEs256:
      return EVP_sha256();
    case Algorithm::kHs384:
    case Algorithm::kRs384:
    case Algorithm::kPs384:
    case Algorithm::kEs384:
      return EVP_sha384();
    case Algorithm::kHs512:
    case Algorithm::kRs512:
    case Algorithm::kPs512:
    case Algorithm::kEs512:
      return EVP_sha512();
    case Algorithm::kEdDsa:
      return nullptr;  // it hashes by itself
  }
  return nullptr;
}

VerifyingKey::VerifyingKey(Algorithm algorithm, std::shared_ptr<EVP_PKEY> key)
    : algorithm_(algorithm), public_key_(std::move(key)) {
  assert(public_key_);
  unsigned char* der = nullptr;
  const int bytes = i2d_PUBKEY(public_key_.get(), &der);
  assert(bytes > 0);
  print_ = print_of(algorithm, {reinterpret_cast<const char*>(der), static_cast<unsigned>(bytes)});
  OPENSSL_free(der);
}

VerifyingKey::VerifyingKey(Algorithm algorithm, std::string_view secret)
    : algorithm_(algorithm),
      print_(print_of(algorithm, secret)),
      secret_(new std::string(secret), [](std::string* bytes) {
        OPENSSL_cleanse(bytes->data(), bytes->size());
        delete bytes;
      }) {}

Parsed<VerifyingKey> VerifyingKey::make_secret(Algorithm algorithm, std::string_view secret) {
  assert(kind_of(algorithm) == KeyKind::kSecret);
  const auto bytes_min = static_cast<std::size_t>(EVP_MD_get_size(hash_of(algorithm)));
  if (secret.size() < bytes_min) {
    return Fault{fmt::format("has {} bytes; {} needs {} at least", secret.size(),
                             name_of(algorithm), bytes_min)};
  }
  return VerifyingKey(algorithm, secret);
}

Parsed<VerifyingKey> VerifyingKey::make_rsa(Algorithm algorithm,
                                            std::string_view modulus,
                                            std::string_view exponent) {
  const ErrorQueueCleaner cleaner;
  constexpr std::size_t kNumberBytesMax = 4096;  // further than any key that is taken
  if (modulus.size() > kNumberBytesMax || exponent.size() > kNumberBytesMax) {
    return Fault{
        fmt::format("is too long; an RSA key needs {} to {} bits", kRsaBitsMin, kRsaBitsMax)};
  }
  const BnPtr n = number_of(modulus);
  const BnPtr e = number_of(exponent);
  const ParamBldPtr builder(OSSL_PARAM_BLD_new());
  if (!n || !e || !builder ||
      OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_N, n.get()) != 1 ||
      OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_E, e.get()) != 1) {
    return Fault{"is not an RSA key"};
  }
  return make(algorithm, key_from("RSA", builder.get()));
}

Parsed<VerifyingKey> VerifyingKey::make_elliptic_curve(Algorithm algorithm,
                                                       std::string_view x,
                                                       std::string_view y) {
  const ErrorQueueCleaner cleaner;
  assert(x.size() == coordinate_bytes(algorithm) && y.size() == coordinate_bytes(algorithm));
  const auto key = key_of_point(algorithm, x, y);
  if (!key) {
    return Fault{"is not a point of its curve"};
  }
  return make(algorithm, key);
}

Parsed<VerifyingKey> VerifyingKey::make_ed25519(std::string_view public_key) {
  const ErrorQueueCleaner cleaner;
  if (public_key.size() != kEd25519KeyBytes) {
    return Fault{
        fmt::format("has {} bytes; Ed25519 needs {}", public_key.size(), kEd25519KeyBytes)};
  }
  return make(Algorithm::kEdDsa,
              shared(EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, bytes_of(public_key),
                                                 public_key.size())));
}

Parsed<VerifyingKey> VerifyingKey::make(Algorithm algorithm, std::shared_ptr<EVP_PKEY> key) {
  const ErrorQueueCleaner cleaner;
  const KeyKind kind = kind_of(algorithm);
  assert(kind != KeyKind::kSecret);
  const int type = kind == KeyKind::kRsa             ? EVP_PKEY_RSA
                   : kind == KeyKind::kEllipticCurve ? EVP_PKEY_EC
                                                     : EVP_PKEY_ED25519;
  if (!key || EVP_PKEY_get_base_id(key.get()) != type) {
    return Fault{fmt::format("is not a key for {}", name_of(algorithm))};
  }
  std::optional<Fault> fault;
  if (kind == KeyKind::kRsa) {
    fault = find_rsa_fault(key.get());
  } else if (kind == KeyKind::kEllipticCurve) {
    fault = find_curve_fault(algorithm, key.get());
    if (!fault) {
      key = usual_form(algorithm, key.get());
      if (!key) {
        return Fault{"cannot be read"};
      }
    }
  }
  if (fault) {
    return *fault;
  }
  return VerifyingKey(algorithm, std::move(key));
}

bool VerifyingKey::is_published() const {
  return secret_ && is_published_secret(*secret_);
}

bool VerifyingKey::verifies(std::string_view text, std::string_view signature) const {
  const ErrorQueueCleaner cleaner;
  return secret_ ? verifies_by_secret(text, signature) : verifies_by_public_key(text, signature);
}

bool VerifyingKey::verifies_by_secret(std::string_view text, std::string_view signature) const {
  std::array<unsigned char, EVP_MAX_MD_SIZE> mac{};
  std::size_t mac_bytes = 0;
  const char* const hash = EVP_MD_get0_name(hash_of(algorithm_));
  const bool made =
      EVP_Q_mac(nullptr, "HMAC", nullptr, hash, nullptr, secret_->data(), secret_->size(),
                bytes_of(text), text.size(), mac.data(), mac.size(), &mac_bytes) != nullptr;
  return made && signature.size() == mac_bytes &&
         CRYPTO_memcmp(signature.data(), mac.data(), mac_bytes) == 0;
}

bool VerifyingKey::verifies_by_public_key(std::string_view text, std::string_view signature) const {
  std::array<unsigned char, kDerBytesMax> der{};
  std::size_t bytes_expected = kEd25519SignatureBytes;
  if (kind_of(algorithm_) == KeyKind::kRsa) {
    bytes_expected = static_cast<std::size_t>(EVP_PKEY_get_size(public_key_.get()));
  } else if (kind_of(algorithm_) == KeyKind::kEllipticCurve) {
    bytes_expected = 2 * coordinate_bytes(algorithm_);
  }
  if (signature.size() != bytes_expected) {
    return false;
  }
  if (kind_of(algorithm_) == KeyKind::kEllipticCurve) {
    const std::size_t der_bytes = write_der(signature, der);
    if (der_bytes == 0) {
      return false;
    }
    signature = {reinterpret_cast<const char*>(der.data()), der_bytes};
  }

  const MdCtxPtr context(EVP_MD_CTX_new());
  EVP_PKEY_CTX* options = nullptr;  // the context's
  if (!context || EVP_DigestVerifyInit(context.get(), &options, hash_of(algorithm_), nullptr,
                                       public_key_.get()) != 1) {
    return false;
  }
  if (is_pss(algorithm_) &&
      (EVP_PKEY_CTX_set_rsa_padding(options, RSA_PKCS1_PSS_PADDING) != 1 ||
       EVP_PKEY_CTX_set_rsa_pss_saltlen(options, RSA_PSS_SALTLEN_DIGEST) != 1)) {
    return false;
  }
  return EVP_DigestVerify(context.get(), bytes_of(signature), signature.size(), bytes_of(text),
                          text.size()) == 1;
}

std::size_t coordinate_bytes(Algorithm algorithm) {
  return curve(algorithm).coordinate_bytes;
}

std::string_view curve_of(Algorithm algorithm) {
  return curve(algorithm).name;
}

}  // namespace vrelo::auth
