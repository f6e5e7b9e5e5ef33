// SPDX-License-Identifier: Apache-2.0
#include "hub/auth/trust.h"

#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

#include <unistd.h>

#include <fmt/format.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "hub/auth/signing_testing.h"

namespace vrelo::auth {
namespace {

using ::testing::HasSubstr;

constexpr std::string_view kSecret =
    R"({"kty":"oct","kid":"a","alg":"HS256","k":"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"})";

constexpr std::string_view kCertificate = R"(-----BEGIN CERTIFICATE-----
MIIBbjCCARWgAwIBAgIUKa6/5Yc/jp0J7jCismhNa0j/UsEwCgYIKoZIzj0EAwIw
DDEKMAgGA1UEAwwBYTAgFw0yNjExMzAwMjE0NTlaGA8yMTI2MTEwNjAyMTQ1OVow
DDEKMAgGA1UEAwwBYTBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABA5Txrnh53gA
0RFs0/4C5XaRkbmd20swUYPWBae1ceye0cRMmKsZEE2+1e9N0NesPZM8Gb+FooVF
psbz73JtsKKjUzBRMB0GA1UdDgQWBBSEpvJn/4VYQCGzhNaQdarL58IaejAfBgNV
HSMEGDAWgBSEpvJn/4VYQCGzhNaQdarL58IaejAPBgNVHRMBAf8EBTADAQH/MAoG
CCqGSM49BAMCA0cAMEQCIGiBHzwdQDRs73nwN5twj91FUAmDBVqncM5UGuE+ih4/
AiBIHvUcBeC7YSYdeTCXmTKrxREIgXaGlI/5t1zVeYudJQ==
-----END CERTIFICATE-----
)";

class TrustTest : public ::testing::Test {
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

  const std::string folder_ = ::testing::TempDir() + "vrelo_trust_" + std::to_string(::getpid());
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
  EXPECT_THAT(policy.issuers[0].roles, ::testing::ElementsAre(Role::kPublish, Role::kSubscribe));
  EXPECT_EQ(policy.issuers[0].keys.at(0).kid, "a");
  EXPECT_FALSE(policy.issuers[0].takes_mercure_claim);
  EXPECT_THAT(policy.issuers[1].roles, ::testing::ElementsAre(Role::kSubscribe, Role::kAdmin));
  EXPECT_THAT(policy.issuers[1].algorithms, ::testing::ElementsAre(Algorithm::kHs256));
  EXPECT_TRUE(policy.issuers[1].takes_mercure_claim);
  EXPECT_EQ(policy.token_rules.audiences, settings_.audiences);
  EXPECT_EQ(policy.token_rules.leeway, NumericDate(2));
  EXPECT_EQ(policy.credential_rules.cookie_name, "token");
  EXPECT_TRUE(policy.credential_rules.takes_query_token);
  EXPECT_EQ(policy.credential_rules.former_cookie_name, "mercureAuthorization");
  EXPECT_TRUE(policy.allows_anonymous);
}

TEST_F(TrustTest, takes_a_secret_that_everybody_knows_on_this_machine_alone) {
  // RFC 7515, A.1.
  const std::string file = write(
      "published.jwk",
      R"({"kty":"oct","alg":"HS256","k":"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75a)"
      R"(KtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow"})");
  settings_.issuers[0].keys.push_back(file);
  EXPECT_EQ(fault(/*local_only=*/true), "none");
  EXPECT_THAT(fault(/*local_only=*/false), HasSubstr(file + ": a secret that stands in"));
}

TEST_F(TrustTest, refuses_a_key_that_no_token_would_be_tried_with) {
  const auto pem = [this](int i) {
    return write(fmt::format("{}.pem", i), testing::SigningKey(Algorithm::kEs256).public_pem());
  };
  const auto jwk = [this](int i, const std::string& kid) {
    return write(fmt::format("{}.jwk", i), testing::SigningKey(Algorithm::kEdDsa).public_jwk(kid));
  };
  const auto named = [](int i) { return fmt::format("https://{}.example", i); };
  const std::string refused = "issuers[8]: keys: one for ES256 would never be tried in the role ";

  settings_.issuers.clear();
  for (int i = 0; i < kKeysTriedMax; ++i) {
    settings_.issuers.push_back({.name = named(i), .keys = {pem(i)}});
  }
  EXPECT_EQ(fault(), "none");
  settings_.issuers.push_back({.name = named(8), .keys = {pem(8)}});
  EXPECT_THAT(fault(), HasSubstr(refused + "publish: 8 keys before it"));
  settings_.issuers[8].roles = {"subscribe"};
  EXPECT_THAT(fault(), HasSubstr(refused + "subscribe"));
  settings_.issuers[8].roles = {"admin"};
  EXPECT_EQ(fault(), "none") << "in that role it is the only one";
  settings_.issuers[8] = {.name = named(8), .keys = {jwk(8, "a")}};
  EXPECT_EQ(fault(), "none") << "another algorithm";

  settings_.issuers.clear();
  for (int i = 0; i <= kKeysTriedMax; ++i) {
    settings_.issuers.push_back({.name = named(i), .keys = {jwk(i, fmt::format("key-{}", i))}});
  }
  EXPECT_EQ(fault(), "none") << "each has a kid of its own";
  for (int i = 0; i <= kKeysTriedMax; ++i) {
    settings_.issuers[static_cast<std::size_t>(i)].keys = {jwk(i, "key")};
  }
  EXPECT_THAT(fault(), HasSubstr("issuers[8]: keys: one for EdDSA would never be tried"));
  settings_.issuers.clear();
  std::string many;
  for (int i = 0; i <= kKeysTriedMax; ++i) {
    many += testing::SigningKey(Algorithm::kEs256).public_pem();
  }
  settings_.issuers.push_back({.name = named(0), .keys = {write("many.pem", many)}});
  EXPECT_THAT(fault(), HasSubstr("issuers[0]: keys: one for ES256 would never be tried"));
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
  issuer = good;
  issuer.jwks_url = "https://app.example/jwks";
  issuer.jwks_ca = folder_ + "/nowhere.pem";
  EXPECT_THAT(fault(), HasSubstr("issuers[0]: jwks_ca: " + issuer.jwks_ca + ": No such file"));
  issuer.jwks_ca = write("bad.pem", "-----BEGIN CERTIFICATE-----\nAAAA\n");
  EXPECT_THAT(fault(), HasSubstr("bad.pem: there is no certificate in PEM"));
  issuer.jwks_ca = write("long.pem", std::string((std::size_t{1} << 20) + 1, '\n'));
  EXPECT_THAT(fault(), HasSubstr("long.pem: this is longer than 1024 KiB"));
  issuer.jwks_ca = folder_;
  EXPECT_THAT(fault(), HasSubstr("jwks_ca"));
}

TEST_F(TrustTest, knows_where_more_keys_are) {
  settings_.issuers.push_back({.name = "https://idp.example",
                               .jwks_url = "https://idp.example:8443/jwks?a",
                               .jwks_ca = write("ca.pem", kCertificate)});
  const auto trust = read_trust(settings_, true);
  ASSERT_TRUE(trust) << trust.error().message;
  EXPECT_EQ(trust->policy->issuers[0].key_source, nullptr);
  const Issuer& issuer = trust->policy->issuers[1];
  EXPECT_TRUE(issuer.keys.empty());
  ASSERT_NE(issuer.key_source, nullptr);
  EXPECT_EQ(base::authority_of(issuer.key_source->url), "idp.example:8443");
  EXPECT_EQ(issuer.key_source->ca, kCertificate);
}

}  // namespace
}  // namespace vrelo::auth
