// SPDX-License-Identifier: Apache-2.0
#include "hub/api/policy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace vrelo::api {
namespace {

using testing::ElementsAre;

TEST(Policy, has_the_limits_of_the_settings) {
  base::Settings settings;
  settings.header_bytes = 1;
  settings.body_bytes = 2;
  settings.request_time = std::chrono::milliseconds(3);
  settings.topics = 4;
  settings.topic_bytes = 5;
  settings.selectors = 6;
  settings.selector_bytes = 7;
  settings.hello = base::HelloMode::kNever;
  const auto policy = make_policy(settings, true);
  EXPECT_EQ(policy->request_limits.head_bytes_max, 1U);
  EXPECT_EQ(policy->request_limits.body_bytes_max, 2U);
  EXPECT_EQ(policy->request_time, std::chrono::milliseconds(3));
  EXPECT_EQ(policy->topics_max, 4U);
  EXPECT_EQ(policy->topic_bytes_max, 5U);
  EXPECT_EQ(policy->selectors_max, 6U);
  EXPECT_EQ(policy->selector_bytes_max, 7U);
  EXPECT_EQ(policy->hello, base::HelloMode::kNever);
}

TEST(Policy, lets_pages_of_this_machine_in_while_nobody_else_can_come) {
  const base::Settings settings;
  EXPECT_TRUE(make_policy(settings, true)->allows_local_origins);
  EXPECT_FALSE(make_policy(settings, false)->allows_local_origins);
  const auto trust = std::make_shared<const auth::TrustPolicy>();
  EXPECT_FALSE(make_policy(settings, true, trust)->allows_local_origins) << "there is a key";
}

TEST(Policy, lets_only_the_origins_in_that_are_set) {
  base::Settings settings;
  settings.allowed_origins = {"https://app.example"};
  const auto policy = make_policy(settings, true);
  EXPECT_FALSE(policy->allows_local_origins);
  EXPECT_THAT(policy->allowed_origins, ElementsAre("https://app.example"));
}

TEST(Policy, takes_the_dot_off_a_whole_name) {
  base::Settings settings;
  settings.allowed_hosts = {"hub.example.", "b.example"};
  const auto policy = make_policy(settings, true);
  EXPECT_THAT(policy->allowed_hosts, ElementsAre("hub.example", "b.example"));
  EXPECT_FALSE(policy->allows_any_host);
}

TEST(Policy, knows_the_star_that_stands_for_any_host) {
  base::Settings settings;
  settings.allowed_hosts = {"*"};
  EXPECT_TRUE(make_policy(settings, true)->allows_any_host);
}

TEST(Policy, has_the_administrators_endpoints_on_the_main_listener_only_on_loopback) {
  using Kind = base::AdminPlace::Kind;
  const struct {
    const char* what;
    Kind kind;
    bool local_only;
    bool expected;
  } cases[] = {
      {"by default on loopback", Kind::kAuto, true, true},
      {"by default elsewhere", Kind::kAuto, false, false},
      {"off", Kind::kOff, true, false},
      {"a listener of their own", Kind::kOwn, true, false},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.what);
    base::Settings settings;
    settings.admin.kind = c.kind;
    EXPECT_EQ(make_policy(settings, c.local_only)->has_admin_endpoints, c.expected);
  }
}

TEST(Policy, knows_what_clients_call_the_hub) {
  const struct {
    const char* what;
    std::string public_url;
    std::vector<std::string> audiences;
    std::string path;
    std::string expected;
  } cases[] = {
      {"what is set", "https://a/hub", {"https://b/x"}, "/c", "https://a/hub"},
      {"its path at the first audience that is a URL",
       "",
       {"hub", "https://b:1/x?y", "https://d"},
       "/c",
       "https://b:1/c"},
      {"nobody has said it", "", {"hub"}, "/c", ""},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.what);
    base::Settings settings;
    settings.public_url = c.public_url;
    settings.audiences = c.audiences;
    settings.path = c.path;
    EXPECT_EQ(make_policy(settings, true)->public_url, c.expected);
    EXPECT_EQ(make_policy(settings, true)->has_set_public_url, !c.public_url.empty());
    EXPECT_EQ(make_policy(settings, true)->tickets_path, "/c/tickets");
  }
}

}  // namespace
}  // namespace vrelo::api
