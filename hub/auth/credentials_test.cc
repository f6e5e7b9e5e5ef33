// SPDX-License-Identifier: Apache-2.0
#include "hub/auth/credentials.h"

#include <optional>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

namespace vrelo::auth {
namespace {

using namespace std::string_view_literals;
using Fields = std::vector<std::string_view>;

constexpr std::string_view kCookie = "__Secure-mercure_access_token=c.c.c";

struct Case {
  const char* what;
  Fields authorization;
  Fields cookies;
  Credentials credentials;
};

TEST(Credentials, come_by_header_before_cookie) {
  const Credentials none;
  const Credentials header{Channel::kHeader, "h.h.h"};
  const Credentials cookie{Channel::kCookie, "c.c.c"};
  const Case cases[] = {
      {"nothing", {}, {}, none},
      {"a header", {"Bearer h.h.h"}, {}, header},
      {"the scheme in other case", {"bEARER h.h.h"}, {}, header},
      {"more spaces", {"Bearer \t h.h.h "}, {}, header},
      {"a token of any characters",
       {"Bearer aZ09-._~+/=="},
       {},
       {Channel::kHeader, "aZ09-._~+/=="}},
      {"a header and a cookie", {"Bearer h.h.h"}, {kCookie}, header},
      {"a header and a bad cookie", {"Bearer h.h.h"}, {"__Secure-mercure_access_token=?"}, header},
      {"another scheme", {"Basic dTpw"}, {}, none},
      {"another scheme and a cookie", {"Basic dTpw"}, {kCookie}, none},
      {"a scheme that begins as ours", {"Bearerh.h.h"}, {kCookie}, none},
      {"a cookie", {}, {kCookie}, cookie},
      {"a cookie among others", {}, {"a=b; __Secure-mercure_access_token=c.c.c; d=e"}, cookie},
      {"a cookie in a field of its own", {}, {"a=b", kCookie}, cookie},
      {"a cookie without spaces", {}, {"a=b;__Secure-mercure_access_token=c.c.c;d"}, cookie},
      {"one value twice", {}, {kCookie, kCookie}, cookie},
      {"a cookie in other case", {}, {"__secure-mercure_access_token=c.c.c"}, none},
      {"a longer name", {}, {"x__Secure-mercure_access_token=c.c.c"}, none},
      {"a value that looks like it", {}, {"a=__Secure-mercure_access_token=c.c.c"}, none},
      {"a cookie without a value", {}, {"__Secure-mercure_access_token="}, none},
      {"the former cookie", {}, {"mercureAuthorization=f.f.f"}, none},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.what);
    const auto found = find_credentials(
        {.authorization_fields = c.authorization, .cookie_fields = c.cookies, .query_token = "q"},
        {});
    ASSERT_TRUE(found);
    EXPECT_EQ(*found, c.credentials);
  }
}

TEST(Credentials, of_0x_come_by_header_query_cookie_and_former_cookie) {
  const CredentialRules rules{
      .cookie_name = "t", .takes_query_token = true, .former_cookie_name = "mercureAuthorization"};
  const Fields header{"Bearer h.h.h"};
  const Fields both{"mercureAuthorization=f.f.f; t=c.c.c"};
  const Fields former{"mercureAuthorization=f.f.f"};
  const struct {
    const char* what;
    Presented presented;
    Credentials credentials;
  } cases[] = {
      {"all", {header, both, "q.q.q"}, {Channel::kHeader, "h.h.h"}},
      {"no header", {{}, both, "q.q.q"}, {Channel::kQuery, "q.q.q"}},
      {"cookies", {{}, both, {}}, {Channel::kCookie, "c.c.c"}},
      {"the former one", {{}, former, {}}, {Channel::kFormerCookie, "f.f.f"}},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.what);
    const auto found = find_credentials(c.presented, rules);
    ASSERT_TRUE(found);
    EXPECT_EQ(*found, c.credentials);
  }
  EXPECT_EQ(find_credentials({.query_token = ""}, rules).error(), Errc::kAuthorizationMalformed);
}

TEST(Credentials, are_refused_when_they_could_mean_two_things_or_none) {
  const struct {
    const char* what;
    Fields authorization;
    Fields cookies;
    Errc errc;
  } cases[] = {
      {"two fields", {"Bearer a", "Bearer a"}, {}, Errc::kAuthorizationTwice},
      {"two fields of two schemes", {"Basic a", "Bearer a"}, {}, Errc::kAuthorizationTwice},
      {"an empty field", {""}, {kCookie}, Errc::kAuthorizationMalformed},
      {"the scheme alone", {"Bearer"}, {kCookie}, Errc::kAuthorizationMalformed},
      {"the scheme and spaces", {"Bearer  "}, {}, Errc::kAuthorizationMalformed},
      {"two tokens", {"Bearer a b"}, {}, Errc::kAuthorizationMalformed},
      {"two tokens with a comma", {"Bearer a,b"}, {}, Errc::kAuthorizationMalformed},
      {"quotes", {"Bearer \"a\""}, {}, Errc::kAuthorizationMalformed},
      {"padding alone", {"Bearer =="}, {}, Errc::kAuthorizationMalformed},
      {"padding inside", {"Bearer a=b"}, {}, Errc::kAuthorizationMalformed},
      {"a NUL", {"Bearer a\0b"sv}, {}, Errc::kAuthorizationMalformed},
      {"a byte beyond ASCII", {"Bearer \xC3\xA9"}, {}, Errc::kAuthorizationMalformed},
      {"two values of the cookie",
       {},
       {"__Secure-mercure_access_token=a; __Secure-mercure_access_token=b"},
       Errc::kCookieTwice},
      {"two values, one of them empty",
       {},
       {kCookie, "__Secure-mercure_access_token="},
       Errc::kCookieTwice},
      {"a cookie in quotes", {}, {"__Secure-mercure_access_token=\"a\""}, Errc::kCookieMalformed},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.what);
    const auto found =
        find_credentials({.authorization_fields = c.authorization, .cookie_fields = c.cookies}, {});
    ASSERT_FALSE(found);
    EXPECT_EQ(found.error(), c.errc);
    EXPECT_TRUE(is_malformed_request(found.error()));
  }
  EXPECT_FALSE(is_malformed_request(Errc::kSignatureWrong));
}

}  // namespace
}  // namespace vrelo::auth
