// SPDX-License-Identifier: Apache-2.0
#include "hub/base/uri_template.h"

#include <string>
#include <string_view>

#include <gtest/gtest.h>

namespace vrelo::base {
namespace {

TEST(UriTemplate, matches_what_it_could_expand_to) {
  const struct {
    const char* text;
    const char* topic;
    bool matches;
  } cases[] = {
      {"https://e.com/b/{id}", "https://e.com/b/1", true},
      {"https://e.com/b/{id}", "https://e.com/b/", true},
      {"https://e.com/b/{id}", "https://e.com/b/a,b", true},
      {"https://e.com/b/{id}", "https://e.com/b/%C3%A9", true},
      {"https://e.com/b/{id}", "https://e.com/b/-._~", true},
      {"https://e.com/b/{id}", "https://e.com/b/1/2", false},
      {"https://e.com/b/{id}", "https://e.com/b/a:b", false},
      {"https://e.com/b/{id}", "https://e.com/b/a=b", false},
      {"https://e.com/b/{id}", "https://e.com/b/\xC3\xA9", false},
      {"https://e.com/b/{id}", "https://e.com/b/a b", false},
      {"https://e.com/b/{id}", "https://e.com/b/%C", false},
      {"https://e.com/b/{id}", "https://e.com/b/{id}", false},
      {"https://e.com/b/{id}", "https://e.com/b", false},
      {"https://e.com/b/{id}", "https://E.com/b/1", false},
      {"https://e.com/b/{id}", "https://eXcom/b/1", false},
      {"https://e.com/b/{id}", "xhttps://e.com/b/1", false},
      {"https://e.com/b/{id}", "https://e.com/b/1\n", false},
      {"https://e.com/b/{id:3}", "https://e.com/b/12345", true},
      {"https://e.com/b/{id}/c", "https://e.com/b/1/c", true},
      {"https://e.com/b/{id}/c", "https://e.com/b/1/d", false},
      {"https://e.com/b/{+p}", "https://e.com/b/a/b?c=d#e", true},
      {"https://e.com/b/{+p}", "https://e.com/b/a b", false},
      {"{+p}", "[x]@!$&'()*+,;=:/?#", true},
      {"a{#f}", "a#b/c", true},
      {"a{#f}", "a", true},
      {"a{#f}", "ab", false},
      {"https://e.com/u/7/{?topic}", "https://e.com/u/7/?topic=https%3A%2F%2Fe.com%2Fb%2F1", true},
      {"https://e.com/u/7/{?topic}", "https://e.com/u/7/", true},
      {"https://e.com/u/7/{?topic}", "https://e.com/u/7/?other=x", true},
      {"https://e.com/u/7/{?topic}", "https://e.com/u/7/?a=b&c=d", false},
      {"a{?x,y}", "a?x=1&y=2", true},
      {"a{?x,y}", "a?x=1&y=2&z=3", false},
      {"a?b=c{&x}", "a?b=c&x=1", true},
      {"a{;x,y}", "a;x=1;y", true},
      {"a{.x,y}", "a.b.c", true},
      {"a{.x}", "a.b", true},
      {"a{.x}", "aXb", false},
      {"/s{/topic}{/subscriber}", "/s", true},
      {"/s{/topic}{/subscriber}", "/s/t", true},
      {"/s{/topic}{/subscriber}", "/s/t/u", true},
      {"/s{/topic}{/subscriber}", "/s/t/u/v", false},
      {"{/a,b}", "/x/y", true},
      {"{/a,b}", "/x/y/z", false},
      {"{/a*}", "/x/y/z", true},
      {"{/a*}", "/x=1/y=2", true},
      {"{a,b}", "x,y", true},
      {"{a.b,c_d,%41}", "x", true},
      {"\xC3\xA9{x}",
       "\xC3\xA9"
       "1",
       true},
      {"(a+)+{x}", "(a+)+1", true},
      {"(a+)+{x}", "aaa1", false},
      {"%41{x}", "%411", true},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(std::string(c.text) + " and " + c.topic);
    const auto pattern = UriTemplate::make(c.text);
    ASSERT_TRUE(pattern);
    EXPECT_EQ(pattern->matches(c.topic), c.matches);
  }
}

TEST(UriTemplate, is_none_where_rfc_6570_allows_none) {
  for (const std::string_view text : {
           "",        "a",         "https://e.com/b/1",
           "foo{",    "foo}",      "{}",
           "{a",      "a}{b}",     "{{a}}",
           "{a}{",    "{=a}",      "{!a}",
           "{@a}",    "{|a}",      "{,a}",
           "{a,}",    "{a,,b}",    "{a b}",
           "{a-b}",   "{a:0}",     "{a:}",
           "{a:01}",  "{a:10000}", "{a:1*}",
           "{a**}",   "{*}",       "{.}",
           "{.a.}",   "{a..b}",    "{%4}",
           "a b{c}",  "a\"{c}",    "a'{c}",
           "a<{c}",   "%4{c}",     "a\\{c}",
           "a^{c}",   "a`{c}",     "a|{c}",
           "\xFF{c}", "\n{c}",     "{\xC3\xA9}",
       }) {
    SCOPED_TRACE(text);
    EXPECT_EQ(UriTemplate::make(text), nullptr);
    EXPECT_FALSE(UriTemplate::is_template(text));
  }
}

TEST(UriTemplate, is_not_compiled_where_its_variables_would_take_too_much_memory) {
  const auto variables = [](const char* first, int count) {
    std::string text = first;
    for (int i = 1; i < count; ++i) {
      text += ",a";
    }
    return text + "}";
  };
  const auto pattern = UriTemplate::make(variables("{?a", 20));
  ASSERT_TRUE(pattern);
  EXPECT_TRUE(pattern->matches("?" + std::string(19, '&')));
  EXPECT_FALSE(pattern->matches("?" + std::string(20, '&')));
  EXPECT_TRUE(UriTemplate::make(variables("{a", 2000)));
  EXPECT_FALSE(UriTemplate::make(variables("{?a", 2000)));
  EXPECT_TRUE(UriTemplate::is_template(variables("{?a", 2000)));
}

TEST(UriTemplate, tells_what_all_its_topics_begin_with) {
  const struct {
    const char* text;
    const char* beginning;
  } cases[] = {{"https://e.com/b/{id}", "https://e.com/b/"}, {"{a}/b", ""}, {"a{b}cd", "a"}};
  for (const auto& c : cases) {
    EXPECT_EQ(UriTemplate::make(c.text)->fixed_beginning(), c.beginning);
  }
}

}  // namespace
}  // namespace vrelo::base
