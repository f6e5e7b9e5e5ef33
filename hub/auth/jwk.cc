// SPDX-License-Identifier: Apache-2.0
#include "hub/auth/jwk.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <string_view>
#include <utility>

#include <fmt/format.h>
#include <openssl/evp.h>

#include "hub/auth/base64url.h"
#include "hub/auth/json.h"

namespace vrelo::auth {
namespace {

namespace json = boost::json;
using base::Fault;
using base::Parsed;

// What private keys have and public ones have not.
constexpr std::array<const char*, 7> kPrivateMembers{"d", "p", "q", "dp", "dq", "qi", "oth"};

constexpr std::array<Algorithm, 3> kCurves{Algorithm::kEs256, Algorithm::kEs384, Algorithm::kEs512};

class JwkReader {
 public:
  JwkReader(const json::object& jwk, const std::string& where, const KeySetOptions& options)
      : jwk_(jwk), where_(where), options_(options) {}

  Parsed<ReadJwk> read() const {
    const auto kty = text("kty");
    if (!kty) {
      return kty.error();
    }
    if (*kty != "oct" && std::any_of(kPrivateMembers.begin(), kPrivateMembers.end(),
                                     [this](const char* name) { return jwk_.contains(name); })) {
      return Fault{
          fmt::format("{}kty: this is a private key; the hub needs the public one alone", where_)};
    }
    if (*kty == "oct" && !options_.takes_secrets) {
      return fault("kty", "is oct: a secret that others can read is none");
    }
    auto purpose = read_purpose();
    if (!purpose || purpose->empty()) {
      return purpose ? read_kind(*kty) : Parsed<ReadJwk>(purpose.error());
    }
    return ReadJwk{.why_not = std::move(*purpose)};
  }

 private:
  // Returns why the key is not for verifying; "": it is.
  Parsed<std::string> read_purpose() const {
    if (const json::value* const use = jwk_.if_contains("use")) {
      if (!use->is_string()) {
        return fault("use", "is not a text");
      }
      if (use->get_string() != "sig") {
        return base::parsed("its use is not sig");
      }
    }
    if (const json::value* const uses = jwk_.if_contains("key_ops")) {
      if (!uses->is_array()) {
        return fault("key_ops", "is not an array");
      }
      const json::array& names = uses->get_array();
      if (std::find(names.begin(), names.end(), json::value("verify")) == names.end()) {
        return base::parsed("its key_ops have no verify");
      }
    }
    if (const json::value* const algorithm = jwk_.if_contains("alg")) {
      if (!algorithm->is_string()) {
        return fault("alg", "is not a text");
      }
      if (!parse_algorithm(text_of(algorithm->get_string()))) {
        return base::parsed("its alg signs no tokens");
      }
    }
    return base::parsed("");
  }

  Parsed<ReadJwk> read_kind(const std::string& kty) const {
    if (kty == "oct") {
      return named(read_secret());
    }
    if (kty == "RSA") {
      return named(read_rsa());
    }
    if (kty != "EC" && kty != "OKP") {
      return ReadJwk{.why_not = "its kty signs no tokens"};
    }
    const auto crv = text("crv");
    if (!crv) {
      return crv.error();
    }
    if (kty == "OKP" && *crv == "Ed25519") {
      return named(read_ed25519());
    }
    const auto* const curve =
        std::find_if(kCurves.begin(), kCurves.end(),
                     [&crv](Algorithm algorithm) { return curve_of(algorithm) == *crv; });
    if (kty == "OKP" || curve == kCurves.end()) {
      return ReadJwk{.why_not = "its crv signs no tokens"};
    }
    return named(read_point(*curve));
  }

  // Returns the key with its kid.
  Parsed<ReadJwk> named(Parsed<VerifyingKey> key) const {
    if (!key) {
      return key.error();
    }
    NamedKey result{.key = std::move(*key)};
    if (jwk_.contains("kid")) {
      auto kid = text("kid");
      if (!kid) {
        return kid.error();
      }
      if (kid->size() > kKidBytesMax) {
        return fault("kid", fmt::format("is longer than {} bytes", kKidBytesMax));
      }
      result.kid = std::move(*kid);
    }
    return ReadJwk{.key = std::move(result)};
  }

  Parsed<VerifyingKey> read_secret() const {
    const auto secret = bytes("k");
    const auto algorithm = algorithm_for(default_algorithm(KeyKind::kSecret, options_));
    if (!secret || !algorithm) {
      return secret ? algorithm.error() : secret.error();
    }
    return at("k", VerifyingKey::make_secret(*algorithm, *secret));
  }

  Parsed<VerifyingKey> read_rsa() const {
    const auto modulus = bytes("n");
    const auto exponent = bytes("e");
    const auto algorithm = algorithm_for(default_algorithm(KeyKind::kRsa, options_));
    if (!modulus || !exponent || !algorithm) {
      return !modulus ? modulus.error() : !exponent ? exponent.error() : algorithm.error();
    }
    return at("n", VerifyingKey::make_rsa(*algorithm, *modulus, *exponent));
  }

  Parsed<VerifyingKey> read_ed25519() const {
    const auto key = bytes("x");
    const auto algorithm = algorithm_for(Algorithm::kEdDsa);
    if (!key || !algorithm) {
      return key ? algorithm.error() : key.error();
    }
    return at("x", VerifyingKey::make_ed25519(*key));
  }

  Parsed<VerifyingKey> read_point(Algorithm curve) const {
    const auto algorithm = algorithm_for(curve);
    if (!algorithm) {
      return algorithm.error();
    }
    if (*algorithm != curve) {
      return fault(
          "crv", fmt::format("is not {}, as {} needs", curve_of(*algorithm), name_of(*algorithm)));
    }
    const auto x = bytes("x");
    const auto y = bytes("y");
    if (!x || !y) {
      return x ? y.error() : x.error();
    }
    for (const auto& [name, coordinate] : {std::pair("x", *x), std::pair("y", *y)}) {
      if (coordinate.size() != coordinate_bytes(curve)) {
        return fault(name, fmt::format("has {} bytes; {} needs {}", coordinate.size(),
                                       curve_of(curve), coordinate_bytes(curve)));
      }
    }
    return at("x", VerifyingKey::make_elliptic_curve(curve, *x, *y));
  }

  // Returns the key's own algorithm, which has to be of the kind of `otherwise`, or else that.
  Parsed<Algorithm> algorithm_for(Algorithm otherwise) const {
    const json::value* const member = jwk_.if_contains("alg");
    if (member == nullptr) {
      return otherwise;
    }
    const auto algorithm = parse_algorithm(text_of(member->get_string()));
    assert(algorithm);  // read_purpose() has looked
    if (kind_of(*algorithm) != kind_of(otherwise)) {
      return fault("alg", "does not fit the key's kty");
    }
    return *algorithm;
  }

  Parsed<std::string> text(const char* name) const {
    const json::value* const member = jwk_.if_contains(name);
    if (member == nullptr) {
      return fault(name, "is missing");
    }
    if (!member->is_string()) {
      return fault(name, "is not a text");
    }
    return base::parsed(text_of(member->get_string()));
  }

  Parsed<std::string> bytes(const char* name) const {
    const auto encoded = text(name);
    if (!encoded) {
      return encoded.error();
    }
    auto decoded = decode_base64url(*encoded);
    if (!decoded) {
      return fault(name, "is not base64url without padding");
    }
    return base::parsed(std::move(*decoded));
  }

  // Says that what is wrong with `key` is wrong with the member `name`.
  Parsed<VerifyingKey> at(std::string_view name, Parsed<VerifyingKey> key) const {
    return key ? std::move(key) : Parsed<VerifyingKey>(fault(name, key.error().message));
  }

  Fault fault(std::string_view name, std::string_view what) const {
    return Fault{fmt::format("{}{} {}", where_, name, what)};
  }

  const json::object& jwk_;
  const std::string& where_;
  const KeySetOptions& options_;
};

}  // namespace

Parsed<ReadJwk> read_jwk(const json::object& jwk,
                         const std::string& where,
                         const KeySetOptions& options) {
  return JwkReader(jwk, where, options).read();
}

std::optional<Algorithm> algorithm_of(EVP_PKEY* key, const KeySetOptions& options) {
  std::array<char, 64> group{};
  switch (EVP_PKEY_get_base_id(key)) {
    case EVP_PKEY_RSA:
      return default_algorithm(KeyKind::kRsa, options);
    case EVP_PKEY_ED25519:
      return Algorithm::kEdDsa;
    case EVP_PKEY_EC:
      if (EVP_PKEY_get_group_name(key, group.data(), group.size(), nullptr) != 1) {
        return std::nullopt;
      }
      for (const auto& [name, algorithm] :
           {std::pair("prime256v1", Algorithm::kEs256), std::pair("secp384r1", Algorithm::kEs384),
            std::pair("secp521r1", Algorithm::kEs512)}) {
        if (std::string_view(group.data()) == name) {
          return algorithm;
        }
      }
      return std::nullopt;
    default:
      return std::nullopt;
  }
}

Algorithm default_algorithm(KeyKind kind, const KeySetOptions& options) {
  assert(kind == KeyKind::kSecret || kind == KeyKind::kRsa);
  if (options.algorithm && kind_of(*options.algorithm) == kind) {
    return *options.algorithm;
  }
  return kind == KeyKind::kSecret ? Algorithm::kHs256 : Algorithm::kRs256;
}

}  // namespace vrelo::auth
