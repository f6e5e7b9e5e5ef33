// SPDX-License-Identifier: Apache-2.0
#include "hub/auth/trust.h"

#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace vrelo::auth {
namespace {

using testing::HasSubstr;

constexpr std::string_view kSecret =
    R"({"kty":"oct","kid":"a","alg":"HS256","k":"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"})";

class TrustTest : public testing::Test {
 protected:
  TrustTest() {
    std::filesystem::create_directory(folder_);
    settings_.audiences = {"https://hub.example/"};
    settings_.issuers = {{.name = "https://app.example", .keys = {write("a.jwk", kSecret)}}};
  }
  ~TrustTest() override { std::filesystem::remove_all(folder_); }

  std::string write(std::string_view name, std::string_view text) const {
    const std::string path = folder_ + "/" + std::string(name);
    std::ofstream(path, std::ios::binary) << text;
    return path;
  }

  std::string fault(bool local_only = true) const {
    const auto trust = read_trust(settings_, local_only);
    return trust ? "none" : trust.error().message;
  }

  const std::string folder_ = testing::TempDir() + "vrelo_trust_" + std::to_string(::getpid());
  base::Settings settings_;
};

TEST_F(TrustTest, is_nobodys_without_issuers) {
  settings_.issuers.clear();
  EXPECT_EQ(read_trust(settings_, true)->policy, nullptr);
}

TEST_F(TrustTest, is_what_the_settings_say) {
  settings_.issuers.push_back({.keys = {settings_.issuers[0].keys[0]},
                               .roles = {"subscribe", "admin"},
                               .algorithms = {"HS256"},
                               .mercure_claim = true});
  settings_.clock_leeway = std::chrono::seconds(2);
  settings_.cookie_name = "token";
  settings_.anonymous = true;
  const auto trust = read_trust(settings_, false);
  ASSERT_TRUE(trust) << trust.error().message;
  const TrustPolicy& policy = *trust->policy;
  ASSERT_EQ(policy.issuers.size(), 2U);
  EXPECT_EQ(policy.issuers[0].name, "https://app.example");
  EXPECT_THAT(policy.issuers[0].roles, testing::ElementsAre(Role::kPublish, Role::kSubscribe));
  EXPECT_EQ(policy.issuers[0].keys.at(0).kid, "a");
  EXPECT_FALSE(policy.issuers[0].takes_mercure_claim);
  EXPECT_THAT(policy.issuers[1].roles, testing::ElementsAre(Role::kSubscribe, Role::kAdmin));
  EXPECT_THAT(policy.issuers[1].algorithms, testing::ElementsAre(Algorithm::kHs256));
  EXPECT_TRUE(policy.issuers[1].takes_mercure_claim);
  EXPECT_EQ(policy.token_rules.audiences, settings_.audiences);
  EXPECT_EQ(policy.token_rules.leeway, NumericDate(2));
  EXPECT_EQ(policy.credential_rules.cookie_name, "token");
  EXPECT_TRUE(policy.credential_rules.takes_query_token);
  EXPECT_EQ(policy.credential_rules.former_cookie_name, "mercureAuthorization");
  EXPECT_TRUE(policy.allows_anonymous);
}

TEST_F(TrustTest, takes_former_channels_only_for_issuers_that_are_marked) {
  const auto trust = read_trust(settings_, true);
  EXPECT_FALSE(trust->policy->credential_rules.takes_query_token);
  EXPECT_EQ(trust->policy->credential_rules.former_cookie_name, "");
  EXPECT_FALSE(trust->policy->allows_anonymous);
}

TEST_F(TrustTest, says_which_issuer_and_file_is_wrong) {
  base::IssuerSettings& issuer = settings_.issuers[0];
  const base::IssuerSettings good = issuer;
  issuer.roles = {"publisher"};
  EXPECT_THAT(fault(), HasSubstr("issuers[0]: roles: \"publisher\" is none of"));
  issuer = good;
  issuer.algorithms = {"none"};
  EXPECT_THAT(fault(), HasSubstr("issuers[0]: algorithms: \"none\" is none of"));
  issuer = good;
  issuer.keys = {folder_ + "/nowhere.jwk"};
  EXPECT_THAT(fault(), HasSubstr("nowhere.jwk"));
  issuer.keys = {write("bad.jwk", "{}")};
  EXPECT_THAT(fault(), HasSubstr("bad.jwk"));
  issuer.keys = {good.keys[0], good.keys[0]};
  EXPECT_THAT(fault(), HasSubstr("a kid that another"));
}

}  // namespace
}  // namespace vrelo::auth
