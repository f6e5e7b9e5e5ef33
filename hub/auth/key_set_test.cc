// SPDX-License-Identifier: Apache-2.0
#include "hub/auth/key_set.h"

#include <unistd.h>

#include <fstream>
#include <string>
#include <string_view>

#include <fmt/format.h>

#include <gtest/gtest.h>

#include "hub/auth/base64url.h"
#include "hub/auth/signing_testing.h"

namespace vrelo::auth {
namespace {

using testing::make_token;
using testing::SigningKey;

// Keys of RFC 7515 A.3 and RFC 8037 A.2, and an RSA modulus made up.
constexpr std::string_view kPoint =
    R"("kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",)"
    R"("y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0")";
constexpr std::string_view kEdwards =
    R"("kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo")";

std::string rsa() {
  const std::string modulus = "\xC0" + std::string(254, 'n') + "\x01";
  return fmt::format(R"("kty":"RSA","n":"{}","e":"AQAB")", encode_base64url(modulus));
}

std::string secret(std::size_t bytes = 64) {
  return fmt::format(R"("kty":"oct","k":"{}")", encode_base64url(std::string(bytes, 'k')));
}

std::string jwk(std::string_view members) {
  return fmt::format("{{{}}}", members);
}

// Returns what the set is said to be: its algorithms and kids, or what is wrong with it.
std::string describe(const base::Parsed<KeySet>& set) {
  if (!set) {
    return set.error().message;
  }
  std::string text;
  for (const NamedKey& key : set->keys) {
    text += fmt::format("{}{}", text.empty() ? "" : " ", name_of(key.key.algorithm()));
    if (key.kid) {
      text += ":" + *key.kid;
    }
  }
  for (const std::string& skipped : set->skipped) {
    text += "; " + skipped;
  }
  return text;
}

TEST(KeySet, holds_one_jwk_of_any_kind) {
  const struct {
    std::string text;
    const char* described;
  } cases[] = {
      {jwk(kPoint), "ES256"},
      {jwk(kEdwards), "EdDSA"},
      {jwk(rsa()), "RS256"},
      {jwk(secret()), "HS256"},
      {jwk(rsa() + R"(,"alg":"PS512")"), "PS512"},
      {jwk(secret() + R"(,"alg":"HS512","kid":"a","use":"sig")"), "HS512:a"},
      {jwk(secret() + R"(,"kid":"")"), "HS256:"},
      {jwk(std::string(kPoint) + R"(,"alg":"ES256","key_ops":["sign","verify"],"x5t":1)"), "ES256"},
      {" \n" + jwk(kEdwards) + "\n", "EdDSA"},
      {"\r\n\t" + jwk(std::string(kEdwards) + R"(,"x5c":["-----BEGIN "])"), "EdDSA"},
      {jwk(std::string(kEdwards) + R"(,"alg":"EdDSA","kid":"../../etc/passwd\n")"),
       "EdDSA:../../etc/passwd\n"},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.text);
    EXPECT_EQ(describe(parse_key_set(c.text)), c.described);
  }
}

TEST(KeySet, gives_keys_that_name_none_the_algorithm_that_is_asked_for) {
  const struct {
    Algorithm algorithm;
    std::string text;
    const char* described;
  } cases[] = {
      {Algorithm::kPs384, jwk(rsa()), "PS384"},
      {Algorithm::kPs384, jwk(rsa() + R"(,"alg":"RS512")"), "RS512"},
      {Algorithm::kPs384, jwk(secret()), "HS256"},
      {Algorithm::kPs384, jwk(kPoint), "ES256"},
      {Algorithm::kHs384, jwk(secret()), "HS384"},
      {Algorithm::kHs512, jwk(secret(63)), "k has 63 bytes; HS512 needs 64 at least"},
      {Algorithm::kRs384, SigningKey(Algorithm::kRs256).public_pem(), "RS384"},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.described);
    EXPECT_EQ(describe(parse_key_set(c.text, {.algorithm = c.algorithm})), c.described);
  }
}

TEST(KeySet, skips_keys_that_are_for_something_else) {
  const std::string text = fmt::format(
      R"({{"keys":[{{"kty":"RSA","use":"enc"}},{{"kty":"AKP"}},{{"kty":"EC","crv":"secp256k1"}},)"
      R"({{"kty":"OKP","crv":"X25519"}},{{"kty":"oct","alg":"A256GCM"}},)"
      R"({{"kty":"EC","key_ops":["deriveKey"]}},{{{},"kid":"e"}},{{{},"kid":"r"}}],"more":1}})",
      kPoint, rsa());
  EXPECT_EQ(describe(parse_key_set(text)),
            "ES256:e RS256:r; keys[0]: its use is not sig; keys[1]: its kty signs no tokens; "
            "keys[2]: its crv signs no tokens; keys[3]: its crv signs no tokens; "
            "keys[4]: its alg signs no tokens; keys[5]: its key_ops have no verify");
}

TEST(KeySet, says_what_is_wrong_and_where) {
  const std::string point(kPoint);
  const std::string coordinate = "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0";
  const struct {
    std::string text;
    const char* message;
  } cases[] = {
      {"", "this is not a JSON object"},
      {"secret", "this is not a JSON object"},
      {"[]", "this is not a JSON object"},
      {R"({"kty":"oct","kty":"oct"})", "an object has a name twice"},
      {"{}", "kty is missing"},
      {R"({"kty":1})", "kty is not a text"},
      {R"({"keys":{}})", "keys is not an array"},
      {R"({"keys":[]})", "there is no key"},
      {R"({"keys":[1]})", "keys[0] is not an object"},
      {R"({"keys":[{"kty":"x"}]})", "there is no key for tokens; keys[0]: its kty signs no tokens"},
      {R"({"kty":"x"})", "the key is not for tokens: its kty signs no tokens"},
      {R"({"kty":"oct","use":"enc"})", "the key is not for tokens: its use is not sig"},
      {R"({"kty":"oct","use":1})", "use is not a text"},
      {R"({"kty":"oct","key_ops":"verify"})", "key_ops is not an array"},
      {R"({"kty":"oct","alg":1})", "alg is not a text"},
      {R"({"kty":"oct"})", "k is missing"},
      {R"({"kty":"oct","k":1})", "k is not a text"},
      {R"({"kty":"oct","k":"=="})", "k is not base64url without padding"},
      {R"({"kty":"oct","k":""})", "k has 0 bytes; HS256 needs 32 at least"},
      {jwk(secret(31)), "k has 31 bytes; HS256 needs 32 at least"},
      {jwk(secret(47) + R"(,"alg":"HS384")"), "k has 47 bytes; HS384 needs 48 at least"},
      {jwk(secret() + R"(,"alg":"RS256")"), "alg does not fit the key's kty"},
      {jwk(secret() + R"(,"kid":7)"), "kid is not a text"},
      {jwk(secret() + fmt::format(R"(,"kid":"{}")", std::string(257, 'k'))),
       "kid is longer than 256 bytes"},
      {R"({"kty":"RSA","e":"AQAB"})", "n is missing"},
      {R"({"kty":"RSA","n":"AQAB"})", "e is missing"},
      {R"({"kty":"RSA","n":"AQAB","e":"AQAB"})", "n has 17 bits; an RSA key needs 2048 to 8192"},
      {jwk(rsa() + R"(,"alg":"HS256")"), "alg does not fit the key's kty"},
      {jwk(rsa() + R"(,"alg":"ES256")"), "alg does not fit the key's kty"},
      {jwk(rsa() + R"(,"d":"AQAB")"),
       "kty: this is a private key; the hub needs the public one alone"},
      {R"({"kty":"EC"})", "crv is missing"},
      {R"({"kty":"EC","crv":"P-256"})", "x is missing"},
      {jwk(R"("kty":"EC","crv":"P-256","x":"AA","y":"AA")"), "x has 1 bytes; P-256 needs 32"},
      {jwk(R"("kty":"EC","crv":"P-384","x":")" + coordinate + R"(","y":"AA")"),
       "x has 32 bytes; P-384 needs 48"},
      {jwk(R"("kty":"EC","crv":"P-256","x":")" + coordinate + R"(","y":")" + coordinate + "\""),
       "x is not a point of its curve"},
      {jwk(point + R"(,"alg":"ES384")"), "crv is not P-384, as ES384 needs"},
      {jwk(point + R"(,"d":"AQAB")"),
       "kty: this is a private key; the hub needs the public one alone"},
      {R"({"kty":"OKP","crv":"Ed25519","x":"AA"})", "x has 1 bytes; Ed25519 needs 32"},
      {jwk(std::string(kEdwards) + R"(,"alg":"ES256")"), "alg does not fit the key's kty"},
      {jwk(std::string(kEdwards) + R"(,"d":"AQAB")"),
       "kty: this is a private key; the hub needs the public one alone"},
      {fmt::format(R"({{"keys":[{0},{{"kty":"oct"}}]}})", jwk(secret())), "keys[1].k is missing"},
      {fmt::format(R"({{"keys":[{0},{1}]}})", jwk(secret()), jwk(kPoint)),
       "there are secrets beside public keys; they belong into files of their own"},
      {fmt::format(R"({{"keys":[{{{0},"kid":"a"}},{{{1},"kid":"a"}}]}})", kPoint, kEdwards),
       "two keys have the same kid"},
      {std::string(kKeySetBytesMax + 1, ' '), "this is longer than 256 KiB"},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.message);
    EXPECT_EQ(describe(parse_key_set(c.text)), c.message);
  }
}

TEST(KeySet, takes_a_hundred_keys_and_no_more) {
  std::string keys = jwk(kPoint);
  for (int i = 1; i < 100; ++i) {
    keys += "," + jwk(kPoint);
  }
  const auto set = parse_key_set(fmt::format(R"({{"keys":[{}]}})", keys));
  ASSERT_TRUE(set);
  EXPECT_EQ(set->keys.size(), 100U);
  EXPECT_EQ(describe(parse_key_set(fmt::format(R"({{"keys":[{},{}]}})", keys, jwk(kPoint)))),
            "there are 101 keys, of 100 at most");
}

TEST(KeySet, takes_no_secret_from_a_place_that_others_can_read) {
  EXPECT_EQ(describe(parse_key_set(jwk(secret()), {.takes_secrets = false})),
            "kty is oct: a secret that others can read is none");
  EXPECT_EQ(
      describe(parse_key_set(R"({"keys":[{"kty":"oct","use":"enc"}]})", {.takes_secrets = false})),
      "keys[0].kty is oct: a secret that others can read is none");
  EXPECT_EQ(describe(parse_key_set(jwk(kPoint), {.takes_secrets = false})), "ES256");
}

TEST(KeySet, that_is_published_is_a_set_of_public_keys) {
  const std::string point = std::string(kPoint) + R"(,"kid":"a")";
  const struct {
    const char* what;
    std::string text;
    const char* described;
  } cases[] = {
      {"keys", fmt::format(R"({{"keys":[{},{}]}})", jwk(point), jwk(kEdwards)), "ES256:a EdDSA"},
      {"no key is good any more", R"({"keys":[]})", ""},
      {"unknown kinds", R"({"keys":[{"kty":"new"},{"kty":"OKP","crv":"X25519"}]})",
       "; keys[0]: its kty signs no tokens; keys[1]: its crv signs no tokens"},
      {"a secret", fmt::format(R"({{"keys":[{},{}]}})", jwk(point), jwk(secret())),
       "keys[1].kty is oct: a secret that others can read is none"},
      {"a secret for another purpose", R"({"keys":[{"kty":"oct","use":"enc"}]})",
       "keys[0].kty is oct: a secret that others can read is none"},
      {"a private key", fmt::format(R"({{"keys":[{}]}})", jwk(point + R"(,"d":"AQAB")")),
       "keys[0].kty: this is a private key; the hub needs the public one alone"},
      {"a kid twice", fmt::format(R"({{"keys":[{0},{0}]}})", jwk(point)),
       "two keys have the same kid"},
      {"one key", jwk(kPoint), "this is not a JWK set: it has no keys"},
      {"another list", R"({"keys":{}})", "keys is not an array"},
      {"PEM", SigningKey(Algorithm::kEdDsa).public_pem(), "this is not a JSON object"},
      {"a page", "<!doctype html>", "this is not a JSON object"},
      {"nothing", "", "this is not a JSON object"},
      {"a name twice", R"({"keys":[],"keys":[]})", "an object has a name twice"},
      {"much", std::string(kKeySetBytesMax + 1, ' '), "this is longer than 256 KiB"},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.what);
    EXPECT_EQ(describe(parse_published_set(c.text)), c.described);
  }
}

TEST(KeySet, reads_public_keys_in_pem) {
  for (const Algorithm algorithm : {Algorithm::kRs256, Algorithm::kEs256, Algorithm::kEs384,
                                    Algorithm::kEs512, Algorithm::kEdDsa}) {
    SCOPED_TRACE(name_of(algorithm));
    const SigningKey key(algorithm);
    const auto set = parse_key_set("a comment\n" + key.public_pem());
    ASSERT_TRUE(set) << set.error().message;
    EXPECT_EQ(describe(set), name_of(algorithm));
    EXPECT_TRUE(set->keys[0].key.verifies("text", key.sign("text")));
  }
  EXPECT_EQ(describe(parse_key_set(SigningKey(Algorithm::kEs256).public_pem() +
                                   SigningKey(Algorithm::kEdDsa).public_pem())),
            "ES256 EdDSA");
}

TEST(KeySet, says_what_is_wrong_with_pem) {
  const std::string point = SigningKey(Algorithm::kEs256).public_pem();
  // A key whose base64 has no padding, so that more can follow.
  const std::string longer = SigningKey(Algorithm::kEs384).public_pem();
  const std::string body = longer.substr(27, longer.find("\n-----END") - 27);
  const auto pem = [](std::string_view label, std::string_view content) {
    return fmt::format("-----BEGIN {0}-----\n{1}\n-----END {0}-----\n", label, content);
  };
  const struct {
    const char* what;
    std::string text;
    const char* message;
  } cases[] = {
      {"a private key", SigningKey(Algorithm::kEs256).private_pem(),
       "PEM block 1 is a private key; the hub needs the public one alone"},
      {"a private key after a public one", point + SigningKey(Algorithm::kEdDsa).private_pem(),
       "PEM block 2 is a private key; the hub needs the public one alone"},
      {"a private key by its label", pem("EC PRIVATE KEY", "AAAA"),
       "PEM block 1 is a private key; the hub needs the public one alone"},
      {"a certificate", pem("CERTIFICATE", "AAAA"),
       "PEM block 1 is a certificate; `openssl x509 -pubkey -noout` takes the key out of it"},
      {"something else", pem("DH PARAMETERS", "AAAA"), "PEM block 1 is not a PUBLIC KEY"},
      {"no DER", pem("PUBLIC KEY", "AAAA"), "PEM block 1 is not a public key in DER"},
      {"no DER of RSA", pem("RSA PUBLIC KEY", body), "PEM block 1 is not a public key in DER"},
      {"a line without its end", "-----BEGIN PUBLIC KEY\n" + body,
       "the first line of the PEM block is damaged"},
      {"no base64", pem("PUBLIC KEY", "?"), "PEM block 1 is damaged"},
      {"no end", point.substr(0, 60), "PEM block 1 is damaged"},
      {"bytes after the key", pem("PUBLIC KEY", body + "AAAA"),
       "PEM block 1 is not a public key in DER"},
      {"X25519", pem("PUBLIC KEY", "MCowBQYDK2VuAyEAhSDwCYkwp1R0i33ctD73Wg2/Og0mOBr066SpjqqbTmo="),
       "PEM block 1 is not an RSA key, not Ed25519, and not of the curves P-256, P-384 and P-521"},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.what);
    EXPECT_EQ(describe(parse_key_set(c.text)), c.message);
  }
}

TEST(KeySet, comes_from_a_file) {
  std::string path = ::testing::TempDir() + "vrelo-keys-XXXXXX";
  const int fd = mkstemp(path.data());
  ASSERT_NE(fd, -1);
  close(fd);
  std::ofstream(path) << jwk(kEdwards);
  EXPECT_EQ(describe(read_key_set(path)), "EdDSA");
  std::ofstream(path) << "{}";
  EXPECT_EQ(describe(read_key_set(path)), path + ": kty is missing");
  std::ofstream(path) << std::string(kKeySetBytesMax + 1, ' ');
  EXPECT_EQ(describe(read_key_set(path)), path + ": this is longer than 256 KiB");
  unlink(path.c_str());
  EXPECT_EQ(describe(read_key_set(path)), path + ": No such file or directory");
  EXPECT_EQ(describe(read_key_set("/")), "/: Is a directory");
}

TEST(KeySet, is_tried_by_kid) {
  const SigningKey a(Algorithm::kEs256);
  const SigningKey b(Algorithm::kEs256);
  const std::vector<NamedKey> keys{{.kid = "a", .key = a.verifying()},
                                   {.kid = "b", .key = b.verifying()}};
  const struct {
    const char* what;
    const char* header;
    bool signed_by_a;
    boost::system::error_code error;
  } cases[] = {
      {"its own kid", R"({"alg":"ES256","kid":"a"})", true, {}},
      {"no kid, first key", R"({"alg":"ES256"})", true, {}},
      {"no kid, second key", R"({"alg":"ES256"})", false, {}},
      {"the kid of another", R"({"alg":"ES256","kid":"b"})", true, Errc::kSignatureWrong},
      {"an unknown kid", R"({"alg":"ES256","kid":"A"})", true, Errc::kKeyUnknown},
      {"another algorithm", R"({"alg":"ES384","kid":"a"})", true, Errc::kKeyUnknown},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.what);
    const std::string token = make_token(c.header, "anything", c.signed_by_a ? a : b);
    const auto jws = parse_jws(token);
    ASSERT_TRUE(jws);
    const auto payload = verified_payload(*jws, keys);
    EXPECT_EQ(payload ? boost::system::error_code() : payload.error(), c.error);
    EXPECT_EQ(payload ? *payload : "anything", "anything");
  }
}

}  // namespace
}  // namespace vrelo::auth
