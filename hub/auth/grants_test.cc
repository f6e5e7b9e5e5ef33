// SPDX-License-Identifier: Apache-2.0
#include "hub/auth/grants.h"

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include <gtest/gtest.h>

namespace vrelo::auth {
namespace {

using Kind = TopicMatcher::Kind;
using Topics = std::vector<std::string>;

// Matches topics that begin as it does.
class Prefix final : public base::TopicPattern {
 public:
  using TopicPattern::matches;
  using TopicPattern::TopicPattern;
  bool matches(base::AskedTopic& topic) const override { return topic.text().starts_with(text()); }
};

// Compiles "a*" to Prefix("a"), and nothing else.
base::TopicPatternPtr compile(const TopicMatcher& matcher) {
  if (!matcher.text.ends_with('*')) {
    return nullptr;
  }
  return std::make_shared<const Prefix>(matcher.text.substr(0, matcher.text.size() - 1));
}

Claims claims_of(std::vector<Detail> details) {
  return {.details = std::move(details)};
}

Detail publish(std::vector<TopicMatcher> topics) {
  return {.allows_publish = true, .topics = std::move(topics)};
}

Detail subscribe(std::vector<TopicMatcher> topics) {
  return {.allows_subscribe = true, .topics = std::move(topics)};
}

TEST(Grants, allow_what_one_of_the_details_allows) {
  Grants grants(compile);
  const auto grant = grants.grant_of(claims_of({
      publish({{.text = "a"}, {.text = "b"}}),
      publish({{.kind = Kind::kUrlPattern, .text = "c/*"}}),
      subscribe({{.text = "a"}}),
  }));
  ASSERT_TRUE(grant);
  EXPECT_TRUE((*grant)->may_publish(Topics{"a", "b", "c/1"}));
  EXPECT_FALSE((*grant)->may_publish(Topics{"a", "d"}));
  EXPECT_FALSE((*grant)->may_publish(Topics{"c"}));
  EXPECT_TRUE((*grant)->may_read_private(Topics{"d", "a"}));
  EXPECT_FALSE((*grant)->may_read_private(Topics{"b", "c/1"}));
}

TEST(Grants, allow_all_topics_by_one_matcher) {
  Grants grants(compile);
  const auto grant = grants.grant_of(claims_of({publish({{.text = "a"}, {.kind = Kind::kAll}})}));
  ASSERT_TRUE(grant);
  EXPECT_TRUE((*grant)->may_publish(Topics{"anything"}));
  EXPECT_FALSE((*grant)->may_read_private(Topics{"a"}));
}

TEST(Grants, take_the_text_of_an_exact_matcher_for_no_pattern) {
  Grants grants(compile);
  const auto grant = grants.grant_of(claims_of({subscribe({{.text = "a*"}})}));
  ASSERT_TRUE(grant);
  EXPECT_TRUE((*grant)->may_read_private(Topics{"a*"}));
  EXPECT_FALSE((*grant)->may_read_private(Topics{"ab"}));
}

TEST(Grants, let_a_template_match_itself_and_be_no_template) {
  Grants grants(compile);
  const auto grant = grants.grant_of(claims_of({subscribe(
      {{.kind = Kind::kUriTemplate, .text = "a*"}, {.kind = Kind::kUriTemplate, .text = "b{"}})}));
  ASSERT_TRUE(grant);
  EXPECT_TRUE((*grant)->may_read_private(Topics{"a*"}));
  EXPECT_TRUE((*grant)->may_read_private(Topics{"ab"}));
  EXPECT_TRUE((*grant)->may_read_private(Topics{"b{"}));
  EXPECT_FALSE((*grant)->may_read_private(Topics{"b"}));
}

TEST(Grants, refuse_a_url_pattern_that_cannot_be_compiled) {
  Grants grants(compile);
  const TopicMatcher bad{.kind = Kind::kUrlPattern, .text = "("};
  EXPECT_EQ(grants.grant_of(claims_of({publish({bad})})).error(), Errc::kPatternRefused);
  EXPECT_EQ(grants.grant_of(claims_of({subscribe({{.text = "a"}, bad})})).error(),
            Errc::kPatternRefused);
  EXPECT_EQ(grants.size(), 0U);
}

TEST(Grants, are_one_where_rights_are_equal) {
  Grants grants(compile);
  const auto grant = [&grants](std::vector<Detail> details) {
    return grants.grant_of(claims_of(std::move(details))).value();
  };
  const GrantPtr one = grant({publish({{.text = "a"}, {.text = "b"}})});
  EXPECT_EQ(grant({publish({{.text = "b"}}), publish({{.text = "a"}, {.text = "a"}})}), one);
  EXPECT_EQ(grant({publish({{.text = "a"}, {.text = "b"}}), {.topics = {{.text = "c"}}}}), one);
  EXPECT_NE(grant({publish({{.text = "a"}})}), one);
  EXPECT_NE(grant({subscribe({{.text = "a"}, {.text = "b"}})}), one);
  EXPECT_NE(grant({publish({{.text = "a;1:1:b"}})}), one);
  EXPECT_EQ(grant({}), grants.anonymous());
  EXPECT_EQ(grant({{.topics = {{.text = "a"}}}}), grants.anonymous());
}

TEST(Grants, do_not_stay_when_nobody_has_them) {
  Grants grants(compile);
  const GrantPtr kept = grants.grant_of(claims_of({publish({{.text = "kept"}})})).value();
  for (int i = 0; i < 1000; ++i) {
    EXPECT_TRUE(grants.grant_of(claims_of({publish({{.text = fmt::format("{}", i)}})})));
  }
  EXPECT_LE(grants.size(), 64U);
  EXPECT_EQ(grants.grant_of(claims_of({publish({{.text = "kept"}})})).value(), kept);
}

}  // namespace
}  // namespace vrelo::auth
