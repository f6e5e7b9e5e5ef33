// SPDX-License-Identifier: Apache-2.0
#include "hub/api/host.h"

#include <string_view>

#include <gtest/gtest.h>

namespace vrelo::api {
namespace {

// Returns the status of the refusal, or 0.
int status(std::string_view host, const Policy& policy) {
  http::Request request;
  request.host = host;
  const auto refused = refuse_host(request, policy);
  EXPECT_TRUE(!refused || refused->field == "Host");
  return refused ? refused->status : 0;
}

TEST(Host, is_a_name_that_nobody_else_can_own_or_one_of_the_settings) {
  const Policy policy{.allowed_hosts = {"hub.example", "xn--bcher-kva.example"}};
  const struct {
    const char* what;
    std::string_view host;
    int status;
  } cases[] = {
      {"no name, in HTTP/1.0", "", 0},
      {"localhost", "localhost", 0},
      {"a port", "localhost:3000", 0},
      {"an empty port", "localhost:", 0},
      {"other case", "LocalHost", 0},
      {"the dot of a whole name", "localhost.:3000", 0},
      {"a name below localhost", "app.localhost:3000", 0},
      {"IPv4", "127.0.0.1:3000", 0},
      {"another IPv4 address", "192.168.1.5", 0},
      {"IPv6", "[::1]:3000", 0},
      {"IPv6 without a port", "[2001:db8::1]", 0},
      {"IPv4 in IPv6", "[::ffff:127.0.0.1]", 0},
      {"a name of the settings", "hub.example", 0},
      {"with a port and a dot, in other case", "HUB.Example.:443", 0},
      {"a name beyond ASCII, as browsers send it", "xn--bcher-kva.example", 0},

      {"a name of others", "evil.example", 421},
      {"one below a name of the settings", "a.hub.example", 421},
      {"one that ends like a name of the settings", "evilhub.example", 421},
      {"one that ends like localhost", "evillocalhost", 421},
      {"one below which there is a localhost", "localhost.evil.example", 421},
      {"an address as part of a name", "127.0.0.1.evil.example", 421},
      {"two numbers", "127.1", 421},
      {"one number", "2130706433", 421},
      {"hexadecimal", "0x7f000001", 421},
      {"octal", "0177.0.0.1", 421},
      {"a star", "*", 400},

      {"two dots at the end", "localhost..", 421},
      {"only a dot", ".", 400},
      {"only a port", ":3000", 400},
      {"a port that is no number", "localhost:http", 400},
      {"a port with a sign", "localhost:+80", 400},
      {"a port beyond 65535", "localhost:65536", 400},
      {"two ports", "localhost:1:2", 400},
      {"IPv6 without brackets", "::1", 400},
      {"no end of the brackets", "[::1", 400},
      {"something after the brackets", "[::1]x", 400},
      {"brackets that hold no address", "[localhost]", 400},
      {"IPv4 in brackets", "[127.0.0.1]", 400},
      {"a scope", "[fe80::1%251]", 400},
      {"a scope that is a number", "[fe80::1%1]", 400},
      {"user information", "user@localhost", 400},
      {"two names", "localhost,evil.example", 400},
      {"a space", "local host", 400},
      {"an escape", "local%68ost", 400},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.what);
    EXPECT_EQ(status(c.host, policy), c.status);
  }
}

TEST(Host, is_any_name_if_the_settings_say_so) {
  const Policy policy{.allows_any_host = true};
  EXPECT_EQ(status("evil.example:80", policy), 0);
  EXPECT_EQ(status("a b", policy), 400);
}

}  // namespace
}  // namespace vrelo::api
