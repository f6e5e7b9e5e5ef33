// SPDX-License-Identifier: Apache-2.0
#include "hub/api/explained_request.h"

#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "hub/api/request_testing.h"

namespace vrelo::api {
namespace {

TestRequest::Parts parts(std::string_view query, std::vector<http::Field> fields = {}) {
  return {.target = fmt::format("/admin/explain?{}", query), .fields = std::move(fields)};
}

TEST(ExplainedRequest, is_a_publish_with_all_that_is_not_of_the_description) {
  const TestRequest description(
      parts("topic=a%26b&action=publish&channel=cookie&origin=https://a.example&&data=+x&private",
            {{"Explained-Token", "a.b.c"}}));
  const auto explained = ExplainedRequest::read(*description);
  ASSERT_TRUE(explained);
  EXPECT_EQ(explained->action(), Action::kPublish);
  EXPECT_EQ(explained->role(), auth::Role::kPublish);
  EXPECT_EQ(explained->token(), "a.b.c");
  const http::Request request = explained->request();
  EXPECT_EQ(request.method, http::Method::kPost);
  EXPECT_EQ(request.body, "topic=a%26b&data=+x&private=");
  EXPECT_EQ(request.query, "");
  EXPECT_EQ(request.host, "localhost:3000");
  EXPECT_EQ(request.field("Origin"), "https://a.example");
  EXPECT_EQ(request.field("Content-Type"), http::kFormType);
}

TEST(ExplainedRequest, is_a_stream_with_the_query_of_one) {
  const TestRequest description(parts("action=subscribe&match=a&host=hub.example"));
  const auto explained = ExplainedRequest::read(*description);
  ASSERT_TRUE(explained);
  EXPECT_EQ(explained->role(), auth::Role::kSubscribe);
  EXPECT_EQ(explained->token(), "");
  const http::Request request = explained->request();
  EXPECT_EQ(request.method, http::Method::kGet);
  EXPECT_EQ(request.query, "match=a");
  EXPECT_EQ(request.host, "hub.example");
  EXPECT_EQ(request.field("Origin"), std::nullopt);
}

TEST(ExplainedRequest, is_refused_by_the_name_of_what_is_wrong) {
  const struct {
    const char* query;
    std::vector<http::Field> fields;
    std::string field;
  } cases[] = {
      {"", {}, "action"},
      {"topic=a", {}, "action"},
      {"action=", {}, "action"},
      {"action=Publish", {}, "action"},
      {"action=publish&channel=body", {}, "channel"},
      {"action=publish&authorization=x", {}, "authorization"},
      {"action=publish&%61uthorization=x", {}, "authorization"},
      {"action=publish&access_token=x", {}, "access_token"},
      {"action=publish&token=x", {}, "token"},
      {"action=subscribe&ticket=vt_x", {}, "ticket"},
      {"action=publish", {{"Explained-Token", "a"}, {"explained-token", "a"}}, "Explained-Token"},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.query);
    const TestRequest description(parts(c.query, c.fields));
    const auto explained = ExplainedRequest::read(*description);
    ASSERT_TRUE(explained.has_error());
    EXPECT_EQ(explained.error().status, 400);
    EXPECT_EQ(explained.error().field, c.field);
  }
}

}  // namespace
}  // namespace vrelo::api
