// SPDX-License-Identifier: Apache-2.0
#include "cli/token_text.h"

#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "hub/auth/signing_testing.h"

namespace vrelo::cli {
namespace {

using auth::testing::make_token;
using auth::testing::SigningKey;
using ::testing::HasSubstr;

constexpr auth::NumericDate kNow{1'790'000'000};  // 2026-09-21T14:13:20Z
constexpr std::string_view kHeader = R"({"typ":"at+jwt","alg":"HS256","kid":"k1"})";

std::string token_of(std::string_view payload, std::string_view header = kHeader) {
  return make_token(header, payload, SigningKey(auth::Algorithm::kHs256));
}

TEST(TokenText, says_what_a_token_holds) {
  const std::string type = R"({"type":"https://mercure.rocks/authorization-detail",)";
  const std::string who =
      R"({"iss":"https://app","aud":["https://hub","b"],"sub":"eva","client_id":"shop",)";
  const std::string when = R"("jti":"7","iat":1789999990,"nbf":1789999990.5,"exp":1790090061,)";
  const std::string both = type + R"("actions":["publish","subscribe"],"topics":[{"match":"a"},)" +
                           R"({"match":"https://x/:id","match_type":"urlpattern"}]})";
  const std::string all = type + R"("actions":["subscribe"],"topics":[{"match":"*"}]})";
  const auto found =
      token_text(token_of(who + when + R"("authorization_details":[)" + both + "," + all + "]}"),
                 nullptr, kNow);
  ASSERT_TRUE(found) << found.error().message;
  EXPECT_TRUE(found->is_taken);
  EXPECT_EQ(found->text,
            "form       access token\n"
            "algorithm  HS256\n"
            "key        k1\n"
            "issuer     https://app\n"
            "audience   https://hub\n"
            "audience   b\n"
            "subject    eva\n"
            "client     shop\n"
            "id         7\n"
            "issued     2026-09-21T14:13:10Z, 10s ago\n"
            "not before 2026-09-21T14:13:10Z, 10s ago\n"
            "expires    2026-09-22T15:14:21Z, in 1d 1h\n"
            "publish    a, pattern https://x/:id\n"
            "read       a, pattern https://x/:id, all topics\n"
            "hub        unknown: nothing is verified without --config\n");
}

TEST(TokenText, says_what_a_token_of_0x_holds) {
  const auto found =
      token_text(token_of(R"({"mercure":{"publish":["*"],"subscribe":["https://x/{id}"]}})",
                          R"({"alg":"HS256"})"),
                 nullptr, kNow);
  ASSERT_TRUE(found) << found.error().message;
  EXPECT_EQ(found->text,
            "form       of Mercure 0.x\n"
            "algorithm  HS256\n"
            "publish    all topics\n"
            "read       https://x/{id} (also as a template)\n"
            "hub        unknown: nothing is verified without --config\n");
}

TEST(TokenText, harms_no_terminal) {
  const auto found = token_text(token_of(R"({"iss":"\u001b[2J","exp":1e15})"), nullptr, kNow);
  ASSERT_TRUE(found) << found.error().message;
  EXPECT_THAT(found->text, HasSubstr("issuer     \\u{1B}[2J\n"));
  EXPECT_THAT(found->text, HasSubstr("expires    in the far future\n"));
}

TEST(TokenText, says_why_a_text_is_no_token) {
  EXPECT_THAT(token_text("", nullptr, kNow).error().message, HasSubstr("three parts"));
  EXPECT_THAT(token_text("a.b.c", nullptr, kNow).error().message, HasSubstr("base64url"));
  EXPECT_THAT(token_text(token_of(R"({"iss":7})"), nullptr, kNow).error().message,
              HasSubstr("iss is not a text"));
}

class TokenTextWithSettings : public ::testing::Test {
 protected:
  TokenTextWithSettings() {
    std::ofstream(key_file_) << R"({"kty":"oct","kid":"k1","k":")"
                             << auth::encode_base64url(SigningKey::kSecret) << "\"}";
    settings_.audiences = {"https://hub"};
    settings_.issuers = {{.name = "https://app", .keys = {key_file_}, .roles = {"subscribe"}}};
  }
  ~TokenTextWithSettings() override { std::filesystem::remove(key_file_); }

  const std::string key_file_ = ::testing::TempDir() + "vrelo_key_" + std::to_string(::getpid());
  base::Settings settings_;
};

TEST_F(TokenTextWithSettings, says_for_each_role_whether_the_hub_takes_it) {
  const auto found = token_text(
      token_of(R"({"iss":"https://app","aud":"https://hub","exp":1790000600})"), &settings_, kNow);
  ASSERT_TRUE(found) << found.error().message;
  EXPECT_TRUE(found->is_taken);
  EXPECT_THAT(
      found->text,
      HasSubstr("hub        refuses it to publish: there is no key with the token's kid and "
                "alg for this request\n"
                "hub        takes it to read\n"
                "hub        refuses it to administer: "));
}

TEST_F(TokenTextWithSettings, says_why_the_hub_refuses_it) {
  const auto found = token_text(
      token_of(R"({"iss":"https://app","aud":"https://hub","exp":1789999999})"), &settings_, kNow);
  ASSERT_TRUE(found) << found.error().message;
  EXPECT_FALSE(found->is_taken);
  EXPECT_THAT(found->text, HasSubstr("refuses it to read: the token's exp has passed\n"));
}

TEST_F(TokenTextWithSettings, says_that_the_hub_may_know_more_keys) {
  settings_.issuers = {{.name = "https://app", .jwks_url = "https://app/jwks"}};
  const auto found =
      token_text(auth::testing::make_token(R"({"typ":"at+jwt","alg":"ES256","kid":"new"})", "{}",
                                           SigningKey(auth::Algorithm::kEs256)),
                 &settings_, kNow);
  ASSERT_TRUE(found) << found.error().message;
  EXPECT_FALSE(found->is_taken);
  EXPECT_THAT(
      found->text,
      HasSubstr("hub        refuses it to publish: there is no key with the token's kid and "
                "alg for this request; keys at a jwks_url were not looked at\n"));
}

}  // namespace
}  // namespace vrelo::cli
