// SPDX-License-Identifier: Apache-2.0
#include "hub/auth/verifying_key.h"

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include <gtest/gtest.h>

#include "hub/auth/base64url.h"
#include "hub/auth/signing_testing.h"

namespace vrelo::auth {
namespace {

using testing::SigningKey;

constexpr std::string_view kText = "what is signed";

constexpr Algorithm kAlgorithms[] = {
    Algorithm::kHs256, Algorithm::kHs384, Algorithm::kHs512, Algorithm::kRs256, Algorithm::kRs384,
    Algorithm::kRs512, Algorithm::kPs256, Algorithm::kPs384, Algorithm::kPs512, Algorithm::kEs256,
    Algorithm::kEs384, Algorithm::kEs512, Algorithm::kEdDsa};

constexpr Algorithm kCurves[] = {Algorithm::kEs256, Algorithm::kEs384, Algorithm::kEs512};

std::string bytes(std::string_view base64url) {
  return decode_base64url(base64url).value();
}

// The compact form of a published example.
bool verifies_example(const VerifyingKey& key, const std::string& token) {
  const auto dot = token.rfind('.');
  return key.verifies(token.substr(0, dot), bytes(token.substr(dot + 1)));
}

TEST(VerifyingKey, verifies_the_example_of_hs256) {
  // RFC 7515, A.1.
  const auto key = VerifyingKey::make_secret(
      Algorithm::kHs256,
      bytes("AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4h"
            "cgUuTwjAzZr1Z9CAow"));
  ASSERT_TRUE(key);
  EXPECT_TRUE(verifies_example(
      *key,
      "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogIm"
      "h0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"));
}

TEST(VerifyingKey, verifies_the_example_of_es256) {
  // RFC 7515, A.3.
  const auto key = VerifyingKey::make_elliptic_curve(
      Algorithm::kEs256, bytes("f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU"),
      bytes("x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"));
  ASSERT_TRUE(key);
  EXPECT_TRUE(verifies_example(
      *key,
      "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLm"
      "NvbS9pc19yb290Ijp0cnVlfQ.DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApm"
      "WQxfKTUJqPP3-Kg6NU1Q"));
}

TEST(VerifyingKey, verifies_the_example_of_ed25519) {
  // RFC 8037, A.2 and A.4.
  const auto key = VerifyingKey::make_ed25519(bytes("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"));
  ASSERT_TRUE(key);
  const std::string text = "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc";
  const std::string signature = bytes(
      "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg");
  EXPECT_TRUE(key->verifies(text, signature));
  EXPECT_FALSE(key->verifies(text, signature.substr(0, 63)));
  EXPECT_FALSE(key->verifies(text, signature + '\0'));
  EXPECT_FALSE(key->verifies(text + "A", signature));
}

TEST(VerifyingKey, takes_its_own_signatures_and_no_others) {
  for (const Algorithm algorithm : kAlgorithms) {
    SCOPED_TRACE(name_of(algorithm));
    const SigningKey signing(algorithm);
    const VerifyingKey key = signing.verifying();
    EXPECT_EQ(key.algorithm(), algorithm);
    const std::string signature = signing.sign(kText);
    EXPECT_TRUE(key.verifies(kText, signature));

    EXPECT_FALSE(key.verifies("what is not signed", signature));
    EXPECT_FALSE(key.verifies(kText, ""));
    EXPECT_FALSE(key.verifies(kText, signature.substr(1)));
    // What follows in memory would complete it.
    EXPECT_FALSE(key.verifies(kText, std::string_view(signature).substr(0, signature.size() - 1)));
    EXPECT_FALSE(key.verifies(kText, '\0' + signature));
    EXPECT_FALSE(key.verifies(kText, signature + '\0'));
    EXPECT_FALSE(key.verifies(kText, std::string(signature.size(), '\0')));
    EXPECT_FALSE(key.verifies(kText, std::string(signature.size(), '\xFF')));
    for (const std::size_t at : {std::size_t{0}, signature.size() / 2, signature.size() - 1}) {
      std::string changed = signature;
      changed[at] = static_cast<char>(changed[at] ^ 1);
      EXPECT_FALSE(key.verifies(kText, changed));
    }
  }
}

TEST(VerifyingKey, takes_no_signature_that_its_key_made_for_another_algorithm) {
  const SigningKey rsa(Algorithm::kRs256);
  const SigningKey secret(Algorithm::kHs256);
  for (const SigningKey* const base : {&rsa, &secret}) {
    for (const Algorithm made : kAlgorithms) {
      for (const Algorithm wanted : kAlgorithms) {
        const KeyKind kind = base == &rsa ? KeyKind::kRsa : KeyKind::kSecret;
        if (kind_of(made) == kind && kind_of(wanted) == kind) {
          const std::string signature = SigningKey(made, *base).sign(kText);
          EXPECT_EQ(SigningKey(wanted, *base).verifying().verifies(kText, signature),
                    made == wanted)
              << name_of(made) << " for " << name_of(wanted);
        }
      }
    }
  }
}

TEST(VerifyingKey, wants_a_salt_as_long_as_the_hash) {
  SigningKey signing(Algorithm::kPs256);
  const VerifyingKey key = signing.verifying();
  for (const int salt_bytes : {0, 20, 31, 32, 33, 64}) {
    SCOPED_TRACE(salt_bytes);
    signing.set_salt_bytes(salt_bytes);
    EXPECT_EQ(key.verifies(kText, signing.sign(kText)), salt_bytes == 32);
  }
}

TEST(VerifyingKey, refuses_a_secret_shorter_than_the_hash) {
  const struct {
    Algorithm algorithm;
    std::size_t bytes_min;
    const char* message;
  } cases[] = {
      {Algorithm::kHs256, 32, "has 31 bytes; HS256 needs 32 at least"},
      {Algorithm::kHs384, 48, "has 47 bytes; HS384 needs 48 at least"},
      {Algorithm::kHs512, 64, "has 63 bytes; HS512 needs 64 at least"},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.message);
    EXPECT_TRUE(VerifyingKey::make_secret(c.algorithm, std::string(c.bytes_min, 'k')));
    const auto refused = VerifyingKey::make_secret(c.algorithm, std::string(c.bytes_min - 1, 'k'));
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().message, c.message);
  }
}

TEST(VerifyingKey, refuses_weak_rsa_keys) {
  const std::string sound = std::string(1, '\xC0') + std::string(254, 'n') + '\x01';
  const std::string usual("\x01\x00\x01", 3);
  const struct {
    const char* what;
    std::string modulus;
    std::string exponent;
    const char* message;
  } cases[] = {
      {"1024 bits", '\xC0' + std::string(127, 'm'), usual,
       "has 1024 bits; an RSA key needs 2048 to 8192"},
      {"2047 bits", '\x7F' + sound.substr(1), usual,
       "has 2047 bits; an RSA key needs 2048 to 8192"},
      {"2040 bits after a zero", '\0' + sound.substr(1), usual,
       "has 2039 bits; an RSA key needs 2048 to 8192"},
      {"8193 bits", '\x01' + std::string(1024, 'm'), usual,
       "has 8193 bits; an RSA key needs 2048 to 8192"},
      {"far too long", std::string(5000, 'm'), usual,
       "is too long; an RSA key needs 2048 to 8192 bits"},
      {"nothing", "", usual, "has 0 bits; an RSA key needs 2048 to 8192"},
      {"even", sound.substr(0, 255) + '\x02', usual, "has an even modulus"},
      {"exponent 1", sound, "\x01", "has an exponent that is not an odd number from 3 to 2^64"},
      {"exponent 0", sound, "", "has an exponent that is not an odd number from 3 to 2^64"},
      {"exponent 4", sound, "\x04", "has an exponent that is not an odd number from 3 to 2^64"},
      {"exponent 2^64 + 1", sound, std::string("\x01\0\0\0\0\0\0\0\x01", 9),
       "has an exponent that is not an odd number from 3 to 2^64"},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.what);
    const auto refused = VerifyingKey::make_rsa(Algorithm::kRs256, c.modulus, c.exponent);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().message, c.message);
  }
  EXPECT_TRUE(VerifyingKey::make_rsa(Algorithm::kRs256, sound, usual));
  EXPECT_TRUE(VerifyingKey::make_rsa(Algorithm::kRs256, sound, "\x03"));
}

TEST(VerifyingKey, refuses_what_is_no_point_of_the_curve) {
  for (const Algorithm algorithm : kCurves) {
    SCOPED_TRACE(name_of(algorithm));
    const std::size_t size = coordinate_bytes(algorithm);
    for (const char filling : {'\0', '\x01', '\xFF'}) {
      const std::string coordinate(size, filling);
      const auto refused = VerifyingKey::make_elliptic_curve(algorithm, coordinate, coordinate);
      ASSERT_FALSE(refused);
      EXPECT_EQ(refused.error().message, "is not a point of its curve");
    }
  }
}

TEST(VerifyingKey, refuses_keys_of_another_kind) {
  const SigningKey signing(Algorithm::kEs256);
  const std::string text = signing.public_pem();
  BIO* const pem = BIO_new_mem_buf(text.c_str(), -1);
  const std::shared_ptr<EVP_PKEY> key(PEM_read_bio_PUBKEY(pem, nullptr, nullptr, nullptr),
                                      EVP_PKEY_free);
  BIO_free(pem);
  const struct {
    Algorithm algorithm;
    const char* message;
  } cases[] = {
      {Algorithm::kRs256, "is not a key for RS256"},
      {Algorithm::kPs512, "is not a key for PS512"},
      {Algorithm::kEdDsa, "is not a key for EdDSA"},
      {Algorithm::kEs384, "is not of the curve P-384, as ES384 needs"},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.message);
    const auto refused = VerifyingKey::make(c.algorithm, key);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().message, c.message);
  }
  EXPECT_TRUE(VerifyingKey::make(Algorithm::kEs256, key));
  EXPECT_EQ(VerifyingKey::make_ed25519("short").error().message, "has 5 bytes; Ed25519 needs 32");
}

// The key of `pkey` as a file has it that writes points in this form, and the bytes of it.
std::pair<VerifyingKey, int> read_as(Algorithm algorithm, EVP_PKEY* pkey, const char* form) {
  EXPECT_EQ(EVP_PKEY_set_utf8_string_param(pkey, OSSL_PKEY_PARAM_EC_POINT_CONVERSION_FORMAT, form),
            1);
  unsigned char* der = nullptr;
  const int size = i2d_PUBKEY(pkey, &der);
  const unsigned char* end = der;
  std::shared_ptr<EVP_PKEY> read(d2i_PUBKEY(nullptr, &end, size), EVP_PKEY_free);
  OPENSSL_free(der);
  return {*VerifyingKey::make(algorithm, std::move(read)), size};
}

TEST(VerifyingKey, is_the_same_however_its_point_is_written) {
  for (const Algorithm algorithm : kCurves) {
    const std::shared_ptr<EVP_PKEY> pkey(
        EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", curve_of(algorithm).data()), EVP_PKEY_free);
    const auto [whole, whole_bytes] = read_as(algorithm, pkey.get(), "uncompressed");
    const auto [compressed, fewer_bytes] = read_as(algorithm, pkey.get(), "compressed");
    EXPECT_LT(fewer_bytes, whole_bytes);
    EXPECT_TRUE(whole == compressed);
    EXPECT_EQ(whole.print(), compressed.print());
    EXPECT_FALSE(whole == SigningKey(algorithm).verifying());
  }
}

TEST(VerifyingKey, leaves_no_error_behind_for_others_to_find) {
  for (const Algorithm algorithm : kAlgorithms) {
    const SigningKey signing(algorithm);
    EXPECT_FALSE(signing.verifying().verifies(kText, signing.sign("else")));
  }
  EXPECT_FALSE(VerifyingKey::make_elliptic_curve(Algorithm::kEs256, std::string(32, 'x'),
                                                 std::string(32, 'y')));
  EXPECT_EQ(ERR_peek_error(), 0U);
}

}  // namespace
}  // namespace vrelo::auth
