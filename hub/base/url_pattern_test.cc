// SPDX-License-Identifier: Apache-2.0
#include "hub/base/url_pattern.h"

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

namespace vrelo::base {
namespace {

constexpr std::string_view kHub = "https://hub.example.com/.well-known/mercure";

std::shared_ptr<const UrlPattern> make(std::string_view text) {
  return UrlPattern::make(text, UrlBase::make(kHub));
}

// Source: mercure.md, 4.2, "Facts that bite", each line of the table.
TEST(UrlPattern, matches_as_the_protocol_means_it) {
  struct Case {
    std::string_view pattern;
    std::string_view topic;
    bool matches;
  };
  const Case cases[] = {
      {"https://example.com/books/:id", "https://example.com/books/1", true},
      {"https://example.com/books/:id", "https://example.com/books/1?x=1#f", true},
      {"https://example.com/books/:id", "https://user:pw@example.com/books/1", true},
      {"https://example.com/books/:id", "https://EXAMPLE.com:443/books/1", true},
      {"https://example.com/books/:id", "https://example.com/books/", false},
      {"https://example.com/books/:id", "https://example.com/books/1/2", false},
      {"https://example.com/books/:id", "https://example.com/Books/1", false},
      {"https://example.com/books/:id", "https://example.com:8443/books/1", false},
      {"https://example.com/a/:x", "https://example.com/a/b%2Fc", true},
      {"https://example.com/a/:x", "https://example.com/a/c/../b", true},
      {"https://example.com/books/1", "https://example.com/books/%31", false},
      {"https://example.com/é", "https://example.com/%C3%A9", true},
      {"https://example.com/é", "https://example.com/é", true},
      {"https://example.com/é", "https://example.com/%c3%a9", false},
      {"https://example.com", "https://example.com", true},
      {"https://example.com", "https://example.com/any/path", true},
      {"https://example.com", "https://www.example.com/", false},
      {"https://example.com/users/42/*", "https://example.com/users/42/", true},
      {"https://example.com/users/42/*", "https://example.com/users/42/a/b", true},
      {"https://example.com/users/42/*", "https://example.com/users/42", false},
      {"https://example.com/items{/:tail}?", "https://example.com/items", true},
      {"https://example.com/items{/:tail}?", "https://example.com/items/3", true},
      {"/books/:id", "/books/1", true},
      {"/books/:id", "https://hub.example.com/books/1", true},
      {"/books/:id", "https://example.com/books/1", false},
      {"books/:id", "books/1", true},
      {"books/:id", "/.well-known/books/1", true},
      {"/.well-known/mercure/subscriptions/:t/:m/:s",
       "/.well-known/mercure/subscriptions/exact/a/urn%3Auuid%3A1", true},
      {"https://hub.example.com/.well-known/mercure/subscriptions/:t/:m/:s",
       "/.well-known/mercure/subscriptions/exact/a/urn%3Auuid%3A1", true},
      {R"(urn\:uuid\:*)", "urn:uuid:abc", true},
      {"urn:uuid:*", "urn:uuid:abc", false},
      {"https://example.com/bar/:id", "https://example.com/bar/:id", true},

      // What is no URL is matched by nothing.
      {"*://*/*", "http://[bad", false},
      {"https://example.com/([a-c]+)", "https://example.com/abba", true},
      {"https://example.com/([a-c]+)", "https://example.com/abbz", false},

      // Well-formed as a reference from the hub's URL: an empty path in its folder.
      {"", "/.well-known/", true},
      {"", ".", true},
      {"", "", false},
  };
  for (const Case& each : cases) {
    SCOPED_TRACE(std::string(each.pattern) + " | " + std::string(each.topic));
    const auto pattern = make(each.pattern);
    ASSERT_NE(pattern, nullptr);
    EXPECT_EQ(pattern->text(), each.pattern);
    EXPECT_EQ(pattern->matches(each.topic), each.matches);
  }
}

TEST(UrlPattern, is_refused_if_it_is_malformed_or_cannot_be_run) {
  struct Case {
    std::string_view what;
    std::string text;
  };
  const Case cases[] = {
      {"a parenthesis that is not closed", "https://example.com/("},
      {"a brace that is not closed", "https://example.com/{a"},
      {"one name twice", "/a/:id/:id"},
      {"no host", "https://[::1/x"},
      {"look-ahead", "https://example.com/((?=a)a)"},
      {"a back-reference", R"(https://example.com/(a)(\1))"},
      {"a property", R"(https://example.com/(\p{L}))"},
      {"a repetition of a repetition", "https://example.com/((?:a{1000}){1000})"},
      {"repetitions that add up to much", "https://example.com/([ab]{300}[cd]{300})"},
      {"too long", "https://example.com/" + std::string(kUrlPatternBytesMax, 'a')},
      {"not UTF-8", "https://example.com/\xFF"},
  };
  for (const Case& each : cases) {
    EXPECT_EQ(make(each.text), nullptr) << each.what;
  }
  EXPECT_NE(make("https://example.com/((?:[ab]{10}){10})"), nullptr);
}

TEST(UrlPattern, may_be_as_long_as_a_selector) {
  const std::string host = "https://example.com/";
  const std::string tail(kUrlPatternBytesMax - host.size() - 4, 'a');
  const auto pattern = make(host + tail + "/:id");
  ASSERT_NE(pattern, nullptr);
  EXPECT_TRUE(pattern->matches(host + tail + "/1"));
  EXPECT_FALSE(pattern->matches(host + tail + "b/1"));

  // Each of these is six characters in the URL.
  std::string encoded = host;
  while (encoded.size() + 6 <= kUrlPatternBytesMax) {
    encoded += "é";
  }
  const auto longest = make(encoded + "/:id");
  ASSERT_NE(longest, nullptr);
  EXPECT_TRUE(longest->matches(encoded + "/1"));
}

// (a|aa)+ and the like take exponential time where each way to match is tried in turn.
TEST(UrlPattern, is_matched_in_linear_time) {
  const auto pattern = make("https://example.com/((?:a|aa|a*)*)b");
  ASSERT_NE(pattern, nullptr);
  const std::string topic = "https://example.com/" + std::string(4000, 'a');
  EXPECT_FALSE(pattern->matches(topic));
  EXPECT_TRUE(pattern->matches(topic + "b"));
}

TEST(UrlPattern, knows_what_all_its_topics_have_in_common) {
  struct Case {
    std::string_view pattern;
    std::optional<std::string> host;
    std::string_view path;
    std::string_view text;
  };
  const Case cases[] = {
      {"https://EXAMPLE.com/books/:id", "example.com", "/books", "/books"},
      {"https://example.com/users/42/*", "example.com", "/users/42", "/users/42"},
      {"https://example.com/users/42/", "example.com", "/users/42/", "/users/42/"},
      {"https://example.com/users/42", "example.com", "/users/42", "/users/42"},
      {"https://example.com/items{/:tail}?", "example.com", "/items", "/items"},
      {"https://example.com/a/items{/:tail}?", "example.com", "/a/items", "/a/items"},
      {"https://example.com/a/items{s}?/b", "example.com", "/a", "/a/items"},
      {"https://example.com/{a/}?b/c", "example.com", "", "b/c"},
      {"https://example.com/a/:id?", "example.com", "/a", "/a"},
      {"https://example.com/a/b*", "example.com", "/a", "/a/b"},
      {"https://example.com/a/b\\:c/:id", "example.com", "/a", "/a/b"},
      {"https://example.com/a/b\\:longest/:id", "example.com", "/a", "longest"},
      {"https://example.com/a/:id?/longer/(x|longest/)*", "example.com", "/a", "/longer"},
      {"https://example.com/a/{longest/(\\))}*/:id/longer", "example.com", "/a", "/longer"},
      {"https://example.com/é/a/*", "example.com", "/%C3%A9/a", "/%C3%A9/a"},
      {"https://example.com/a/:é/bc", "example.com", "/a", "/bc"},
      {"https://example.com/a/../b/*", "example.com", "/b", "/b"},
      {"https://example.com/:a/b", "example.com", "", "/b"},
      {"https://example.com", "example.com", "", ""},
      {"https://:sub.example.com/a/*", std::nullopt, "/a", "/a"},
      {"https://*/a/b/*", std::nullopt, "/a/b", "/a/b"},
      {"http{s}?://example.com/a/*", "example.com", "/a", "/a"},
      {R"(urn\:uuid\:*)", "", "", "uuid"},
      {"/a/b/:c", "hub.example.com", "/a/b", "/a/b"},
      {"a/:c", "hub.example.com", "/.well-known/a", "/.well-known/a"},
  };
  for (const Case& each : cases) {
    SCOPED_TRACE(each.pattern);
    const auto pattern = make(each.pattern);
    ASSERT_NE(pattern, nullptr);
    EXPECT_EQ(pattern->fixed_host(), each.host);
    EXPECT_EQ(pattern->fixed_path(), each.path);
    EXPECT_EQ(pattern->fixed_text(), each.text);
  }
}

TEST(TopicUrl, has_the_parts_of_a_url) {
  const auto base = UrlBase::make(kHub);
  TopicUrl url;
  ASSERT_TRUE(url.read("wss://u:p@[::1]:81/a/./b?q=%20#f", *base));
  EXPECT_EQ(url.parts().protocol, "wss");
  EXPECT_EQ(url.parts().username, "u");
  EXPECT_EQ(url.parts().password, "p");
  EXPECT_EQ(url.parts().host, "[::1]");
  EXPECT_EQ(url.parts().port, "81");
  EXPECT_EQ(url.parts().path, "/a/b");
  EXPECT_EQ(url.parts().query, "q=%20");
  EXPECT_EQ(url.parts().fragment, "f");

  ASSERT_TRUE(url.read("/x", *base));
  EXPECT_EQ(url.parts().protocol, "https");
  EXPECT_EQ(url.parts().username, "");
  EXPECT_EQ(url.parts().host, "hub.example.com");
  EXPECT_EQ(url.parts().port, "");
  EXPECT_EQ(url.parts().path, "/x");
  EXPECT_EQ(url.parts().query, "");

  EXPECT_FALSE(url.read("http://[bad", *base));
  ASSERT_TRUE(url.read("urn:a:b", *base));
  EXPECT_EQ(url.parts().path, "a:b");
  EXPECT_EQ(url.parts().host, "");
}

TEST(UrlBase, is_an_absolute_url) {
  EXPECT_EQ(UrlBase::make("/.well-known/mercure"), nullptr);
  EXPECT_EQ(UrlBase::make(""), nullptr);
}

}  // namespace
}  // namespace vrelo::base
