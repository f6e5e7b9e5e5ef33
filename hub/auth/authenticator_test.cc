// SPDX-License-Identifier: Apache-2.0
#include "hub/auth/authenticator.h"

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include <gtest/gtest.h>

#include "hub/auth/token_testing.h"
#include "hub/base/clock_testing.h"

namespace vrelo::auth {
namespace {

using testing::Issuers;
using testing::make_token;
using namespace std::chrono_literals;

class AuthenticatorTest : public ::testing::Test {
 protected:
  AuthenticatorTest() {
    clock_.step_wall(std::chrono::duration_cast<std::chrono::nanoseconds>(
        Issuers::kNow - NumericDate(clock_.wall().time_since_epoch())));
  }

  std::shared_ptr<TrustPolicy> policy() const {
    return std::make_shared<TrustPolicy>(
        TrustPolicy{.issuers = keys_.all(),
                    .token_rules = Issuers::rules(),
                    .credential_rules = {.cookie_name = "t",
                                         .takes_query_token = true,
                                         .former_cookie_name = "mercureAuthorization"}});
  }

  static base::TopicPatternPtr compile(const TopicMatcher&) { return nullptr; }

  Result<Authorization> by_header(std::string_view token, Role role) {
    const std::string field = fmt::format("Bearer {}", token);
    const std::vector<std::string_view> fields{field};
    return authenticator_.authorize({.authorization_fields = fields}, role);
  }

  Result<Authorization> by_cookie(std::string_view name, std::string_view token, Role role) {
    const std::string field = fmt::format("{}={}", name, token);
    const std::vector<std::string_view> fields{field};
    return authenticator_.authorize({.cookie_fields = fields}, role);
  }

  std::string token(std::string_view details) const {
    return make_token(Issuers::kHeader, Issuers::payload(details), keys_.app);
  }

  static std::string allow(std::string_view action, std::string_view topic) {
    return Issuers::detail(
        fmt::format(R"("actions":["{}"],"topics":[{{"match":"{}"}}])", action, topic));
  }

  Issuers keys_;
  base::ManualClock clock_;
  Quotas quotas_{clock_};
  Authenticator authenticator_{policy(), compile, clock_, quotas_};
};

TEST_F(AuthenticatorTest, grants_what_the_token_allows) {
  const auto authorization = by_header(token(allow("publish", "a")), Role::kPublish);
  ASSERT_TRUE(authorization) << authorization.error().message();
  EXPECT_TRUE(authorization->grant->may_publish(std::vector<std::string>{"a"}));
  EXPECT_FALSE(authorization->grant->may_publish(std::vector<std::string>{"b"}));
  EXPECT_EQ(authorization->channel, Channel::kHeader);
  EXPECT_EQ(authorization->token->claims.expires, Issuers::kExpiry);
}

TEST_F(AuthenticatorTest, lets_anyone_read_what_is_public_unless_told_otherwise) {
  const auto anonymous = authenticator_.authorize({}, Role::kSubscribe);
  ASSERT_TRUE(anonymous);
  EXPECT_FALSE(anonymous->grant->may_read_private(std::vector<std::string>{"a"}));
  EXPECT_EQ(anonymous->token, nullptr);
  EXPECT_EQ(authenticator_.authorize({}, Role::kPublish).error(), Errc::kTokenMissing);
  EXPECT_EQ(authenticator_.authorize({}, Role::kAdmin).error(), Errc::kTokenMissing);

  auto strict = policy();
  strict->allows_anonymous = false;
  authenticator_.set_policy(strict);
  EXPECT_EQ(authenticator_.authorize({}, Role::kSubscribe).error(), Errc::kTokenMissing);
}

TEST_F(AuthenticatorTest, refuses_a_bad_token_where_none_is_needed) {
  EXPECT_EQ(by_header("a.b.c", Role::kSubscribe).error(), Errc::kNotBase64Url);
  EXPECT_EQ(by_cookie("t", "a.b.c", Role::kSubscribe).error(), Errc::kNotBase64Url);
  EXPECT_EQ(by_header(std::string(8193, 'a'), Role::kSubscribe).error(), Errc::kTokenTooLong);
}

TEST_F(AuthenticatorTest, counts_what_a_subject_does_where_its_issuer_has_limits) {
  const std::string any = token(allow("publish", "a"));
  EXPECT_EQ(by_header(any, Role::kPublish)->quota, nullptr);
  EXPECT_EQ(quotas_.size(), 0U);

  auto limited = policy();
  limited->issuers[0].limits = {.streams_max = 1, .publishes_per_second = 1};
  authenticator_.set_policy(limited);
  const auto publisher = by_header(any, Role::kPublish);
  const auto reader = by_header(token(allow("subscribe", "a")), Role::kSubscribe);
  ASSERT_TRUE(publisher && reader);
  EXPECT_EQ(publisher->quota, reader->quota) << "two tokens of one subject";
  const std::vector<std::string> granted = {"a"};
  const std::vector<std::string> other = {"b"};
  EXPECT_TRUE(publisher->publish(other, clock_.steady())) << "refused for another reason";
  EXPECT_TRUE(publisher->publish(granted, clock_.steady())) << "it has cost nothing";
  EXPECT_FALSE(publisher->publish(granted, clock_.steady()));
  EXPECT_FALSE(publisher->publish(other, clock_.steady()));
  const auto stream = reader->open_stream();
  EXPECT_TRUE(stream);
  EXPECT_FALSE(publisher->open_stream());

  const auto anonymous = authenticator_.authorize({}, Role::kSubscribe);
  EXPECT_TRUE(anonymous->open_stream());
}

TEST_F(AuthenticatorTest, says_that_a_cookie_may_come_without_its_owners_doing) {
  const auto cookie = by_cookie("t", token("[]"), Role::kPublish);
  ASSERT_TRUE(cookie);
  EXPECT_TRUE(is_ambient(cookie->channel));
  EXPECT_TRUE(is_ambient(Channel::kFormerCookie));
  EXPECT_FALSE(is_ambient(Channel::kHeader));
  EXPECT_FALSE(is_ambient(Channel::kQuery));
  EXPECT_FALSE(is_ambient(Channel::kNone));
}

TEST_F(AuthenticatorTest, takes_an_administrators_token_by_header_alone) {
  auto with_admin = policy();
  with_admin->issuers[0].roles.push_back(Role::kAdmin);
  authenticator_.set_policy(with_admin);
  const std::string admin = token("[]");
  EXPECT_TRUE(by_header(admin, Role::kAdmin));
  EXPECT_EQ(by_cookie("t", admin, Role::kAdmin).error(), Errc::kTokenMissing);
  EXPECT_EQ(authenticator_.authorize({.query_token = admin}, Role::kAdmin).error(),
            Errc::kTokenMissing);
}

TEST_F(AuthenticatorTest, takes_the_ways_of_0x_from_issuers_of_0x_alone) {
  const std::string former =
      make_token(R"({"alg":"HS256"})", R"({"mercure":{"subscribe":["a"]}})", keys_.secret);
  const auto by_query = authenticator_.authorize({.query_token = former}, Role::kSubscribe);
  ASSERT_TRUE(by_query) << by_query.error().message();
  EXPECT_EQ(by_query->channel, Channel::kQuery);
  EXPECT_TRUE(by_query->grant->may_read_private(std::vector<std::string>{"a"}));
  EXPECT_TRUE(by_cookie("mercureAuthorization", former, Role::kSubscribe));

  const std::string access = token("[]");
  for (int remembered = 0; remembered < 2; ++remembered) {
    EXPECT_EQ(authenticator_.authorize({.query_token = access}, Role::kSubscribe).error(),
              Errc::kChannelRefused);
    EXPECT_EQ(by_cookie("mercureAuthorization", access, Role::kSubscribe).error(),
              Errc::kChannelRefused);
  }
}

TEST_F(AuthenticatorTest, remembers_a_token_for_the_role_that_it_was_verified_for) {
  const std::string subscriber = make_token(R"({"typ":"at+jwt","alg":"ES256","kid":"subscribers"})",
                                            Issuers::payload(), keys_.subscribers);
  const auto first = by_header(subscriber, Role::kSubscribe);
  const auto again = by_cookie("t", subscriber, Role::kSubscribe);
  ASSERT_TRUE(first);
  ASSERT_TRUE(again);
  EXPECT_EQ(first->token, again->token);
  EXPECT_EQ(authenticator_.remembered(), 1U);
  EXPECT_EQ(by_header(subscriber, Role::kPublish).error(), Errc::kKeyUnknown);
  EXPECT_EQ(authenticator_.remembered(), 1U);
}

TEST_F(AuthenticatorTest, forgets_a_token_the_moment_it_ends) {
  const std::string short_lived = token("[]");
  ASSERT_TRUE(by_header(short_lived, Role::kPublish));
  clock_.advance(599'999ms);
  EXPECT_TRUE(by_header(short_lived, Role::kPublish));
  clock_.advance(1ms);
  EXPECT_EQ(by_header(short_lived, Role::kPublish).error(), Errc::kExpired);
  EXPECT_EQ(authenticator_.remembered(), 0U);
}

TEST_F(AuthenticatorTest, remembers_nothing_of_a_token_that_is_wrong) {
  const std::string good = token("[]");
  ASSERT_TRUE(by_header(good, Role::kPublish));
  EXPECT_FALSE(by_header(good.substr(0, good.size() - 4) + "AAAA", Role::kPublish));
  EXPECT_EQ(authenticator_.remembered(), 1U);
}

TEST_F(AuthenticatorTest, trusts_no_remembered_token_after_its_key_was_removed) {
  const std::string good = token("[]");
  ASSERT_TRUE(by_header(good, Role::kPublish));
  auto without = policy();
  without->issuers.erase(without->issuers.begin());
  authenticator_.set_policy(without);
  EXPECT_EQ(by_header(good, Role::kPublish).error(), Errc::kKeyUnknown);
}

TEST_F(AuthenticatorTest, takes_an_issue_time_that_is_still_to_come_for_none) {
  const std::string early = make_token(
      Issuers::kHeader, Issuers::payload("[]", R"(,"sub":"eva","iat":1000100)"), keys_.app);
  const auto before = by_header(early, Role::kSubscribe);
  ASSERT_TRUE(before);
  EXPECT_EQ(before->token->claims.issued_at, std::nullopt);

  auto revoking = policy();
  revoking->revocations = std::make_shared<const Revocations>(
      std::vector<Revocation>{{.issuer = "https://app.example",
                               .kind = Revocation::Kind::kSubject,
                               .name = "eva",
                               .at = Issuers::kNow + NumericDate(1)}},
      base::Clock::Steady());
  EXPECT_TRUE(revoking->is_revoked(*before->token, Issuers::kNow + NumericDate(1)))
      << "a stream that it opened ends";
  authenticator_.set_policy(revoking);
  clock_.step_wall(2s);
  EXPECT_EQ(by_header(early, Role::kSubscribe).error(), Errc::kRevoked);
  clock_.step_wall(98s);
  EXPECT_TRUE(by_header(early, Role::kSubscribe)) << "now it is one that came later";
}

TEST_F(AuthenticatorTest, refuses_tokens_of_a_revoked_key_wherever_its_kid_stands) {
  constexpr std::string_view kWithout = R"({"typ":"at+jwt","alg":"ES256"})";
  constexpr std::string_view kOther = R"({"typ":"at+jwt","alg":"ES256","kid":"k2"})";
  const struct {
    const char* what;
    std::string_view header;
    std::vector<std::optional<std::string>> kids;  // of the entries that are the key
    const char* issuer;
    bool is_revoked;
  } cases[] = {
      {"the key's", Issuers::kHeader, {"app"}, "https://app.example", true},
      {"the key's alone", kWithout, {"app"}, "https://app.example", true},
      {"the token's alone", Issuers::kHeader, {std::nullopt}, "https://app.example", true},
      {"nowhere", kWithout, {std::nullopt}, "https://app.example", false},
      {"another entry's", kWithout, {std::nullopt, "app"}, "https://app.example", true},
      {"another entry's, and the token's is another",
       kOther,
       {std::nullopt, "app"},
       "https://app.example",
       true},
      {"another issuer's", Issuers::kHeader, {"app"}, "https://other.example", false},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.what);
    auto trust = policy();
    trust->issuers[0].keys.clear();
    for (const auto& kid : c.kids) {
      trust->issuers[0].keys.push_back({.kid = kid, .key = keys_.app.verifying()});
    }
    authenticator_.set_policy(trust);
    const std::string token = make_token(c.header, Issuers::payload(), keys_.app);
    const auto before = by_header(token, Role::kSubscribe);
    ASSERT_TRUE(before) << before.error().message();

    auto revoking = std::make_shared<TrustPolicy>(*trust);
    revoking->revocations = std::make_shared<const Revocations>(
        std::vector<Revocation>{
            {.issuer = c.issuer, .kind = Revocation::Kind::kKey, .name = "app"}},
        base::Clock::Steady());
    EXPECT_EQ(revoking->is_revoked(*before->token, Issuers::kNow), c.is_revoked)
        << "a stream that it opened";
    authenticator_.set_policy(revoking);
    const auto after = by_header(token, Role::kSubscribe);
    EXPECT_EQ(after ? boost::system::error_code() : after.error(),
              c.is_revoked ? make_error_code(Errc::kRevoked) : boost::system::error_code());
  }
}

TEST_F(AuthenticatorTest, says_how_a_token_comes_whatever_it_is_worth) {
  const std::vector<std::string_view> bearer{"Bearer a.b.c"};
  const std::vector<std::string_view> cookie{"t=a.b.c"};
  const std::vector<std::string_view> two{"t=a.b.c; t=d.e.f"};
  const auto channel = [this](const Presented& presented, Role role = Role::kPublish) {
    return authenticator_.channel_of(presented, role);
  };
  EXPECT_EQ(channel({}), Channel::kNone);
  EXPECT_EQ(channel({.authorization_fields = bearer, .cookie_fields = cookie}), Channel::kHeader);
  EXPECT_EQ(channel({.cookie_fields = cookie}), Channel::kCookie);
  EXPECT_EQ(channel({.cookie_fields = cookie}, Role::kAdmin), Channel::kNone);
  EXPECT_EQ(channel({.cookie_fields = two}), Channel::kNone);
}

TEST_F(AuthenticatorTest, forgets_the_token_that_was_used_longest_ago) {
  auto few = policy();
  few->remembered_max = 2;
  authenticator_.set_policy(few);
  const std::string tokens[] = {token(allow("publish", "a")), token(allow("publish", "b")),
                                token(allow("publish", "c"))};
  const auto use = [this](const std::string& token) {
    return by_header(token, Role::kPublish).value().token;
  };
  const auto a = use(tokens[0]);
  const auto b = use(tokens[1]);
  EXPECT_EQ(use(tokens[0]), a);
  use(tokens[2]);
  EXPECT_EQ(authenticator_.remembered(), 2U);
  EXPECT_EQ(use(tokens[0]), a);
  EXPECT_NE(use(tokens[1]), b);
}

TEST_F(AuthenticatorTest, gives_tokens_with_equal_rights_one_grant) {
  const std::string rights = allow("subscribe", "a");
  const auto one = by_header(token(rights), Role::kSubscribe);
  const auto other = by_header(
      make_token(Issuers::kHeader, Issuers::payload(rights, R"(,"sub":"else")"), keys_.app),
      Role::kSubscribe);
  ASSERT_TRUE(one);
  ASSERT_TRUE(other);
  EXPECT_EQ(one->grant, other->grant);
  EXPECT_NE(one->token, other->token);
}

TEST_F(AuthenticatorTest, refuses_a_token_whose_pattern_cannot_be_run) {
  const std::string details = Issuers::detail(
      R"("actions":["publish"],"topics":[{"match":"(","match_type":"urlpattern"}])");
  EXPECT_EQ(by_header(token(details), Role::kPublish).error(), Errc::kPatternRefused);
  EXPECT_EQ(authenticator_.remembered(), 0U);
}

}  // namespace
}  // namespace vrelo::auth
