// SPDX-License-Identifier: Apache-2.0
#include "hub/base/https_url.h"

#include <string_view>

#include <gtest/gtest.h>

namespace vrelo::base {
namespace {

TEST(HttpsUrl, is_taken_apart) {
  const struct {
    std::string_view text;
    HttpsUrl url;
    std::string_view authority;
  } cases[] = {
      {"https://a.example/keys", {"a.example", 443, "/keys", ""}, "a.example"},
      {"https://A.Example:443", {"a.example", 443, "/", ""}, "a.example"},
      {"HTTPS://a.example:8443/k?v=1#x", {"a.example", 8443, "/k", "?v=1"}, "a.example:8443"},
      {"https://[::1]:8443/%20", {"[::1]", 8443, "/%20", ""}, "[::1]:8443"},
      {"https://bücher.example/", {"xn--bcher-kva.example", 443, "/", ""}, "xn--bcher-kva.example"},
      {"https://a.example/a b", {"a.example", 443, "/a%20b", ""}, "a.example"},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.text);
    const auto url = parse_https_url(c.text);
    ASSERT_TRUE(url) << url.error().message;
    EXPECT_EQ(*url, c.url);
    EXPECT_EQ(authority_of(*url), c.authority);
  }
}

TEST(HttpsUrl, is_of_https_and_without_secrets_that_logs_would_show) {
  const struct {
    std::string_view text;
    std::string_view message;
  } cases[] = {
      {"", "is not an https URL"},
      {"a.example/keys", "is not an https URL"},
      {"/keys", "is not an https URL"},
      {"https://", "is not an https URL"},
      {"http://a.example/keys", "is not an https URL"},
      {"file:///etc/passwd", "is not an https URL"},
      {"https://a.example:70000/", "is not an https URL"},
      {"https://eva:secret@a.example/", "has a user or a password, which would end up in logs"},
      {"https://eva@a.example/", "has a user or a password, which would end up in logs"},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.text);
    const auto url = parse_https_url(c.text);
    ASSERT_FALSE(url);
    EXPECT_EQ(url.error().message, c.message);
  }
}

TEST(HttpsUrl, is_shown_without_its_query) {
  EXPECT_EQ(shown(*parse_https_url("https://a.example:1/k?key=secret")), "https://a.example:1/k?…");
  EXPECT_EQ(shown(*parse_https_url("https://a.example/k")), "https://a.example/k");
}

}  // namespace
}  // namespace vrelo::base
