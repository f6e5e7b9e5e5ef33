// SPDX-License-Identifier: Apache-2.0
#include "hub/api/cors.h"

#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "hub/api/request_testing.h"

namespace vrelo::api {
namespace {

constexpr std::string_view kNothing = "Vary: Origin\r\n";

const Policy kPolicy{.allowed_origins = {"https://app.example", "http://app.example:8080"}};
const Policy kLocal{.allows_local_origins = true};

bool may_read(std::string_view origin, const Policy& policy) {
  const TestRequest request({.fields = {{"Origin", origin}}});
  const std::string lines(cors_fields(*request, policy).lines());
  const std::string expected = "Access-Control-Allow-Origin: " + std::string(origin) + "\r\n";
  EXPECT_TRUE(lines == kNothing || lines.find(expected) != std::string::npos) << lines;
  return lines != kNothing;
}

// Returns the status of the refusal, or 0.
int status(std::vector<http::Field> fields, const Policy& policy, const char* host) {
  const TestRequest request({.method = "POST", .host = host, .fields = std::move(fields)});
  const auto refused = refuse_publisher(*request, policy, auth::Channel::kNone);
  EXPECT_TRUE(!refused || refused->field == "Origin");
  return refused ? refused->status : 0;
}

TEST(Cors, lets_an_allowed_page_read_with_credentials) {
  const TestRequest request({.fields = {{"Origin", "https://app.example"}}});
  EXPECT_EQ(cors_fields(*request, kPolicy).lines(),
            "Vary: Origin\r\n"
            "Access-Control-Allow-Origin: https://app.example\r\n"
            "Access-Control-Allow-Credentials: true\r\n"
            "Access-Control-Expose-Headers: Link, Mercure-Last-Event-ID, Last-Event-ID, "
            "WWW-Authenticate, Accept-Query, Retry-After\r\n");
}

TEST(Cors, tells_an_allowed_page_what_it_may_send) {
  const TestRequest request({.method = "OPTIONS",
                             .fields = {{"Origin", "https://app.example"},
                                        {"Access-Control-Request-Method", "POST"},
                                        {"Access-Control-Request-Private-Network", "true"}}});
  EXPECT_EQ(preflight_fields(*request, kPolicy).lines(),
            "Vary: Origin\r\n"
            "Access-Control-Allow-Origin: https://app.example\r\n"
            "Access-Control-Allow-Credentials: true\r\n"
            "Access-Control-Allow-Methods: GET, HEAD, POST\r\n"
            "Access-Control-Allow-Headers: Authorization, Last-Event-ID, Cache-Control, "
            "Content-Type\r\n"
            "Access-Control-Max-Age: 7200\r\n");
}

TEST(Cors, says_nothing_to_others_but_that_it_looks_at_the_origin) {
  const TestRequest plain({});
  EXPECT_EQ(cors_fields(*plain, kPolicy).lines(), kNothing);
  EXPECT_EQ(preflight_fields(*plain, kPolicy).lines(), kNothing);
  const TestRequest evil({.method = "OPTIONS", .fields = {{"Origin", "https://evil.example"}}});
  EXPECT_EQ(preflight_fields(*evil, kPolicy).lines(), kNothing);
}

TEST(Cors, knows_allowed_origins_byte_for_byte) {
  const struct {
    const char* what;
    std::string_view origin;
    bool allowed;
  } cases[] = {
      {"the first", "https://app.example", true},
      {"one with a port", "http://app.example:8080", true},
      {"another scheme", "http://app.example", false},
      {"another port", "https://app.example:444", false},
      {"the scheme's own port, which no browser writes", "https://app.example:443", false},
      {"a name below it", "https://a.app.example", false},
      {"a longer name", "https://app.example.evil", false},
      {"a path", "https://app.example/", false},
      {"other case, which no browser writes", "https://APP.example", false},
      {"two in one field", "https://app.example https://app.example", false},
      {"no origin", "null", false},
      {"a star", "*", false},
      {"a page of this machine", "http://localhost:5173", false},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.what);
    EXPECT_EQ(may_read(c.origin, kPolicy), c.allowed);
  }
}

TEST(Cors, knows_pages_of_this_machine) {
  const struct {
    const char* what;
    std::string_view origin;
    bool allowed;
  } cases[] = {
      {"localhost", "http://localhost", true},
      {"a port", "http://localhost:5173", true},
      {"the highest port", "http://localhost:65535", true},
      {"TLS", "https://localhost:5173", true},
      {"127.0.0.1", "http://127.0.0.1:8080", true},
      {"no port after the colon", "http://localhost:", false},
      {"a port that is none", "http://localhost:5173a", false},
      {"too many digits", "http://localhost:123456", false},
      {"a name that begins alike", "http://localhost.evil.example", false},
      {"an address that begins alike", "http://127.0.0.1.evil.example:80", false},
      {"a name after user information", "http://localhost:80@evil.example", false},
      {"another address of this machine", "http://127.0.0.2", false},
      {"another scheme", "ws://localhost", false},
      {"no scheme", "localhost", false},
      {"no host", "http://", false},
      {"no origin", "null", false},
      {"another page", "https://app.example", false},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.what);
    EXPECT_EQ(may_read(c.origin, kLocal), c.allowed);
  }
}

TEST(Cors, does_not_choose_between_two_origins) {
  const TestRequest request(
      {.fields = {{"Origin", "https://app.example"}, {"Origin", "https://evil.example"}}});
  EXPECT_EQ(cors_fields(*request, kPolicy).lines(), kNothing);
}

TEST(Publisher, is_a_page_only_if_its_origin_is_allowed_or_the_hubs_own) {
  const struct {
    const char* what;
    const char* origin;
    const char* host;
    int status;
  } cases[] = {
      {"an allowed origin", "https://app.example", "hub.example", 0},
      {"the hub's own", "http://hub.example:3000", "hub.example:3000", 0},
      {"the hub's own behind a proxy with TLS", "https://hub.example", "hub.example", 0},
      {"the scheme's own port in Host", "https://hub.example", "hub.example:443", 0},
      {"the same of http", "http://hub.example", "hub.example:80", 0},
      {"other case in Host", "http://hub.example", "HUB.example", 0},
      {"an IPv6 address", "http://[::1]:3000", "[::1]:3000", 0},
      {"a page of others", "https://evil.example", "hub.example", 403},
      {"another port of the hub's machine", "http://127.0.0.1:8000", "127.0.0.1:3000", 403},
      {"the other scheme's port", "https://hub.example", "hub.example:80", 403},
      {"another way to name the machine", "http://localhost:3000", "127.0.0.1:3000", 403},
      {"a sandboxed frame, a local file", "null", "hub.example", 403},
      {"no text", "", "hub.example", 403},
      {"only a scheme", "http://", "hub.example", 403},
      {"the host without a scheme", "hub.example", "hub.example", 403},
      {"the host and a path", "http://hub.example/", "hub.example", 403},
      {"another scheme", "ftp://hub.example", "hub.example", 403},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.what);
    EXPECT_EQ(status({{"Origin", c.origin}}, kPolicy, c.host), c.status);
  }
}

TEST(Publisher, has_the_origin_of_the_public_url_whatever_host_says) {
  Policy tls = kPolicy;
  tls.public_url = "https://hub.example:8443/.well-known/mercure";
  tls.has_set_public_url = true;
  Policy plain = kPolicy;
  plain.public_url = "http://Hub.example:80/.well-known/mercure";
  plain.has_set_public_url = true;
  const struct {
    const char* what;
    const Policy& policy;
    const char* origin;
    const char* host;
    int status;
  } cases[] = {
      {"its own", tls, "https://hub.example:8443", "hub.example:8443", 0},
      {"its own, whose port the proxy leaves out", tls, "https://hub.example:8443", "hub.example",
       0},
      {"its own, which the proxy does not tell", tls, "https://hub.example:8443", "10.0.0.7:3000",
       0},
      {"another port, which Host seems to name", tls, "https://hub.example", "hub.example", 403},
      {"another port and scheme", tls, "http://hub.example", "hub.example", 403},
      {"another scheme", tls, "http://hub.example:8443", "hub.example:8443", 403},
      {"another port of this machine", tls, "http://127.0.0.1:3000", "127.0.0.1:3000", 403},
      {"by another name", tls, "https://hub.internal", "hub.internal", 403},
      {"an allowed origin", tls, "https://app.example", "hub.example", 0},
      {"its own without TLS", plain, "http://hub.example", "10.0.0.7:3000", 0},
      {"TLS where there is none", plain, "https://hub.example", "hub.example", 403},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.what);
    EXPECT_EQ(status({{"Origin", c.origin}}, c.policy, c.host), c.status);
  }
}

TEST(Publisher, has_the_scheme_of_the_audience_at_its_host) {
  Policy tls = kPolicy;
  tls.public_url = "https://hub.example/.well-known/mercure";
  Policy plain = kPolicy;
  plain.public_url = "http://Hub.example:80/.well-known/mercure";
  const struct {
    const char* what;
    const Policy& policy;
    const char* origin;
    const char* host;
    int status;
  } cases[] = {
      {"its own", tls, "https://hub.example", "hub.example", 0},
      {"its own, which the proxy does not tell", tls, "https://hub.example", "10.0.0.7:3000", 0},
      {"its host without TLS", tls, "http://hub.example", "hub.example", 403},
      {"its host without TLS, at the port of TLS", tls, "http://hub.example:443", "hub.example:443",
       403},
      {"its host without TLS, at the port of that", tls, "http://hub.example", "hub.example:80",
       403},
      {"another port of its host", tls, "https://hub.example:8443", "hub.example", 403},
      {"by another name", tls, "http://hub.internal", "hub.internal", 0},
      {"by another name, with TLS", tls, "https://hub.internal", "hub.internal", 0},
      {"a page of others by another name", tls, "https://evil.example", "hub.internal", 403},
      {"an allowed origin", tls, "https://app.example", "hub.example", 0},
      {"one without TLS", plain, "http://hub.example", "hub.example", 0},
      {"TLS where there is none", plain, "https://hub.example", "hub.example", 403},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.what);
    EXPECT_EQ(status({{"Origin", c.origin}}, c.policy, c.host), c.status);
  }
}

TEST(Publisher, is_no_page_without_an_origin) {
  EXPECT_EQ(status({}, kPolicy, "hub.example"), 0);
  EXPECT_EQ(status({{"Referer", "https://evil.example/"}}, kPolicy, "hub.example"), 0);
}

TEST(Publisher, with_two_origins_is_refused) {
  EXPECT_EQ(
      status({{"Origin", "https://app.example"}, {"Origin", "https://app.example"}}, kPolicy, "h"),
      403);
}

TEST(Publisher, may_be_a_page_of_this_machine_where_those_are_allowed) {
  EXPECT_EQ(status({{"Origin", "http://localhost:5173"}}, kLocal, "127.0.0.1:3000"), 0);
  EXPECT_EQ(status({{"Origin", "https://evil.example"}}, kLocal, "127.0.0.1:3000"), 403);
}

TEST(Publisher, without_a_host_has_no_origin_in_common_with_the_hub) {
  http::Request request;  // as in HTTP/1.0
  request.fields = {{"Origin", "http://"}};
  EXPECT_TRUE(refuse_publisher(request, kPolicy, auth::Channel::kNone).has_value());
}

TEST(Publisher, with_a_token_that_was_given_on_purpose_may_be_anybody) {
  const struct {
    auth::Channel channel;
    int foreign;  // status where Origin is not allowed
    int unnamed;  // where there is none
  } cases[] = {
      {auth::Channel::kNone, 403, 0},
      {auth::Channel::kHeader, 0, 0},
      {auth::Channel::kQuery, 0, 0},
      {auth::Channel::kCookie, 403, 403},
      {auth::Channel::kFormerCookie, 403, 403},
  };
  const TestRequest foreign({.method = "POST", .fields = {{"Origin", "https://evil.example"}}});
  const TestRequest unnamed({.method = "POST"});
  for (const auto& c : cases) {
    SCOPED_TRACE(static_cast<int>(c.channel));
    const auto status = [&c](const http::Request& request) {
      const auto refused = refuse_publisher(request, kPolicy, c.channel);
      return refused ? refused->status : 0;
    };
    EXPECT_EQ(status(*foreign), c.foreign);
    EXPECT_EQ(status(*unnamed), c.unnamed);
  }
}

}  // namespace
}  // namespace vrelo::api
