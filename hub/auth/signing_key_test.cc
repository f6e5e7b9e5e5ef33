// SPDX-License-Identifier: Apache-2.0
#include "hub/auth/signing_key.h"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "hub/auth/jws.h"
#include "hub/auth/signing_testing.h"

namespace vrelo::auth {
namespace {

using ::testing::HasSubstr;

constexpr Algorithm kAll[] = {
    Algorithm::kHs256, Algorithm::kHs384, Algorithm::kHs512, Algorithm::kRs256, Algorithm::kRs384,
    Algorithm::kRs512, Algorithm::kPs256, Algorithm::kPs384, Algorithm::kPs512, Algorithm::kEs256,
    Algorithm::kEs384, Algorithm::kEs512, Algorithm::kEdDsa};

// The text of a key file with a key for `algorithm`.
std::string key_text(Algorithm algorithm) {
  if (kind_of(algorithm) == KeyKind::kSecret) {
    return R"({"kty":"oct","kid":"k1","k":")" + encode_base64url(testing::SigningKey::kSecret) +
           "\"}";
  }
  return testing::SigningKey(algorithm).private_pem();
}

TEST(SigningKey, makes_tokens_of_every_algorithm_that_are_true) {
  for (const Algorithm algorithm : kAll) {
    SCOPED_TRACE(name_of(algorithm));
    const auto key = SigningKey::parse(key_text(algorithm), algorithm);
    ASSERT_TRUE(key) << key.error().message;
    EXPECT_EQ(key->algorithm(), algorithm);
    const std::string token = make_access_token(R"({"iss":"a"})", *key);
    const auto jws = parse_jws(token);
    ASSERT_TRUE(jws);
    EXPECT_EQ(jws->algorithm, algorithm);
    EXPECT_EQ(jws->type, "at+jwt");
    EXPECT_EQ(jws->kid, key->kid());
    const NamedKey named{.kid = key->kid(), .key = key->verifying()};
    const auto payload = verified_payload(*jws, std::span(&named, 1));
    ASSERT_TRUE(payload) << payload.error().message();
    EXPECT_EQ(*payload, R"({"iss":"a"})");
  }
}

TEST(SigningKey, is_for_the_algorithm_that_it_names_or_that_its_kind_has) {
  EXPECT_EQ(SigningKey::parse(key_text(Algorithm::kHs512), std::nullopt)->algorithm(),
            Algorithm::kHs256);
  EXPECT_EQ(SigningKey::parse(key_text(Algorithm::kPs512), std::nullopt)->algorithm(),
            Algorithm::kRs256);
  EXPECT_EQ(SigningKey::parse(key_text(Algorithm::kEs384), Algorithm::kEs256)->algorithm(),
            Algorithm::kEs384);
  EXPECT_EQ(SigningKey::parse(key_text(Algorithm::kHs256), std::nullopt)->kid(), "k1");
  EXPECT_EQ(SigningKey::parse(key_text(Algorithm::kEdDsa), std::nullopt)->kid(), std::nullopt);
}

TEST(SigningKey, says_why_a_text_is_none_and_repeats_nothing_of_it) {
  const std::string secret = "c2VjcmV0";
  const struct {
    std::string text;
    std::string_view words;
  } cases[] = {
      {"", "it is empty"},
      {" \n", "it is empty"},
      {secret, "it holds no key that signs"},
      {"{\"k\":\"" + secret, "it is not a JWK"},
      {R"({"kty":"EC","d":")" + secret + "\"}", "no secret (kty oct)"},
      {R"({"kty":"oct","k":")" + secret + "\"}", "k has 6 bytes; HS256 needs 32 at least"},
      {R"({"kty":"oct","use":"enc","k":")" + secret + "\"}", "not for tokens: its use is not sig"},
      {testing::SigningKey(Algorithm::kEs256).public_pem(), "it holds no key that signs"},
  };
  for (const auto& [text, words] : cases) {
    SCOPED_TRACE(words);
    const auto key = SigningKey::parse(text, std::nullopt);
    ASSERT_FALSE(key);
    EXPECT_THAT(key.error().message, HasSubstr(words));
    EXPECT_EQ(key.error().message.find(secret), std::string::npos);
  }
}

}  // namespace
}  // namespace vrelo::auth
