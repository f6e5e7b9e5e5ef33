// SPDX-License-Identifier: Apache-2.0
#include "sse/client/url.h"

#include <string_view>

#include <gtest/gtest.h>

namespace vrelo::sse::client {
namespace {

TEST(Url, is_taken_apart) {
  const struct {
    const char* what;
    std::string_view text;
    Url url;
  } cases[] = {
      {"the port of http", "http://a.example", {false, "a.example", 80, "/", ""}},
      {"the port of https", "https://a.example/", {true, "a.example", 443, "/", ""}},
      {"a port", "http://a.example:8080/x", {false, "a.example", 8080, "/x", ""}},
      {"a query", "http://a/x?b=c&d", {false, "a", 80, "/x", "?b=c&d"}},
      {"a fragment stays here", "http://a/x?b#c", {false, "a", 80, "/x", "?b"}},
      {"case of scheme and host", "HTTP://A.Example/X", {false, "a.example", 80, "/X", ""}},
      {"an IPv6 address", "http://[::1]:3000/", {false, "[::1]", 3000, "/", ""}},
      {"a name beyond ASCII",
       "http://b\u00FCcher.example/",
       {false, "xn--bcher-kva.example", 80, "/", ""}},
      {"dots in the path", "http://a/b/../c/./d", {false, "a", 80, "/c/d", ""}},
      {"what may not stand in a request line",
       "http://a/b c?d\u00E9",
       {false, "a", 80, "/b%20c", "?d%C3%A9"}},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.what);
    const auto url = parse_url(c.text);
    ASSERT_TRUE(url.has_value());
    EXPECT_EQ(*url, c.url);
    EXPECT_EQ(parse_url(to_string(*url)).value(), c.url);
  }
}

TEST(Url, is_refused_where_no_request_can_go) {
  const struct {
    std::string_view text;
    Errc errc;
  } cases[] = {
      {"", Errc::kUrlMalformed},
      {"chat", Errc::kUrlMalformed},
      {"/chat", Errc::kUrlMalformed},
      {"127.0.0.1:3000", Errc::kUrlMalformed},
      {"http://", Errc::kUrlMalformed},
      {"http://a:99999/", Errc::kUrlMalformed},
      {"http://[::1/", Errc::kUrlMalformed},
      {"localhost:3000", Errc::kUrlScheme},
      {"ftp://a/", Errc::kUrlScheme},
      {"file:///etc/passwd", Errc::kUrlScheme},
      {"http://user@a/", Errc::kUrlHasCredentials},
      {"https://user:pass@a/", Errc::kUrlHasCredentials},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.text);
    EXPECT_EQ(parse_url(c.text).error(), c.errc);
  }
}

TEST(Url, resolves_what_an_answer_refers_to) {
  const Url base = *parse_url("https://a.example:8443/b/c?d");
  EXPECT_EQ(to_string(*resolve(base, "e")), "https://a.example:8443/b/e");
  EXPECT_EQ(to_string(*resolve(base, "/e?f")), "https://a.example:8443/e?f");
  EXPECT_EQ(to_string(*resolve(base, "?f")), "https://a.example:8443/b/c?f");
  EXPECT_EQ(to_string(*resolve(base, "//g/h")), "https://g/h");
  EXPECT_EQ(to_string(*resolve(base, "http://g")), "http://g/");
  EXPECT_EQ(resolve(base, "javascript:alert(1)").error(), Errc::kUrlScheme);
  EXPECT_EQ(resolve(base, "//user@g/").error(), Errc::kUrlHasCredentials);
  EXPECT_EQ(resolve(base, "http://[").error(), Errc::kUrlMalformed);
}

TEST(Url, has_an_origin_of_scheme_host_and_port) {
  const Url url = *parse_url("https://a.example/b");
  EXPECT_TRUE(is_same_origin(url, *parse_url("https://A.example:443/c?d")));
  EXPECT_FALSE(is_same_origin(url, *parse_url("http://a.example/b")));
  EXPECT_FALSE(is_same_origin(url, *parse_url("https://a.example:444/b")));
  EXPECT_FALSE(is_same_origin(url, *parse_url("https://b.example/b")));
  EXPECT_EQ(origin_of(url), "https://a.example");
  EXPECT_EQ(authority_of(*parse_url("http://[::1]:3000/x")), "[::1]:3000");
}

}  // namespace
}  // namespace vrelo::sse::client
