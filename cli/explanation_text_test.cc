// SPDX-License-Identifier: Apache-2.0
#include "cli/explanation_text.h"

#include <string_view>

#include <gtest/gtest.h>

namespace vrelo::cli {
namespace {

constexpr auth::NumericDate kNow{1'790'000'000};  // 2026-09-21T14:13:20Z

TEST(ExplanationText, says_why_a_publish_is_refused) {
  const auto found = explanation_text(
      R"({"allowed":false,"status":403,"reason":"not granted","field":"topic","token":{)"
      R"("form":"access token","issuer":"https://app","settings":"issuers[0]","key":"k1",)"
      R"("algorithm":"ES256","subject":"eva","id":"7","expires":1790000300.25,"verified":true},)"
      R"("topics":[{"topic":"a","granted":true,"by":{"match":"*"}},{"topic":"b","granted":false},)"
      R"({"topic":"/c/1","granted":true,"by":{"match":"/c/:id","match_type":"urlpattern"}}],)"
      R"("limits":{"streams":{"open":3,"max":5},"publishes_per_second":10}})",
      kNow);
  ASSERT_TRUE(found);
  EXPECT_FALSE(found->is_allowed);
  EXPECT_EQ(found->text,
            "request    refused with 403\n"
            "because    topic: not granted\n"
            "form       access token\n"
            "issuer     https://app\n"
            "settings   issuers[0]\n"
            "key        k1\n"
            "algorithm  ES256\n"
            "subject    eva\n"
            "id         7\n"
            "expires    2026-09-21T14:18:20Z, in 5min\n"
            "topic      a: granted, by *\n"
            "topic      b: not granted\n"
            "topic      /c/1: granted, by the pattern /c/:id\n"
            "limit      streams at once: 3 of 5\n"
            "limit      publishes a second: 10\n");
}

TEST(ExplanationText, says_what_a_stream_would_have) {
  const auto found = explanation_text(
      R"({"allowed":true,"status":200,"selectors":[{"topic":"a","private":"all","by":{"match":)"
      R"("a{/b}","match_type":"uritemplate"}},{"pattern":"/b/*","private":"some"},)"
      R"({"template":"{c}","private":"none"},{"all":"*","private":"none"}]})",
      kNow);
  ASSERT_TRUE(found);
  EXPECT_TRUE(found->is_allowed);
  EXPECT_EQ(found->text,
            "request    allowed\n"
            "token      none\n"
            "selector   topic a: all private events, by the template a{/b}\n"
            "selector   pattern /b/*: private events that have a topic of the token's\n"
            "selector   template {c}: no private events\n"
            "selector   topic *: no private events\n");
}

TEST(ExplanationText, says_that_a_token_was_not_verified) {
  const auto found =
      explanation_text(R"({"allowed":false,"status":401,"reason":"the signature is wrong",)"
                       R"("token":{"issuer":"https://app","verified":false}})",
                       kNow);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->text,
            "request    refused with 401\n"
            "because    the signature is wrong\n"
            "token      refused; what follows is only what it says\n"
            "issuer     https://app\n");
}

TEST(ExplanationText, harms_no_terminal_whatever_the_answer_is) {
  const auto found = explanation_text(
      R"({"allowed":1,"reason":"\u001b[2J","token":{"issuer":7,"expires":"x","subject":"\u202e"},)"
      R"("topics":[1,{"by":[]}],"selectors":{},"limits":{"streams":5}})",
      kNow);
  ASSERT_TRUE(found);
  EXPECT_FALSE(found->is_allowed);
  EXPECT_EQ(found->text.find('\x1B'), std::string::npos);
  EXPECT_EQ(found->text.find("\u202e"), std::string::npos);
  for (const std::string_view other : {"", "<html>", "[]", "{}", "null", R"({"allowed":true)"}) {
    SCOPED_TRACE(other);
    EXPECT_FALSE(explanation_text(other, kNow));
  }
}

}  // namespace
}  // namespace vrelo::cli
