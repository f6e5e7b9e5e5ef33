// SPDX-License-Identifier: Apache-2.0
#include "hub/api/route.h"

#include <memory>
#include <string_view>

#include <gtest/gtest.h>

namespace vrelo::api {
namespace {

using http::Method;

constexpr Listener kMain = Listener::kMain;
constexpr Listener kAdmin = Listener::kAdmin;

Route routed(Method method, std::string_view path, Listener listener, bool has_admin_endpoints) {
  http::Request request;
  request.method = method;
  request.path = path;
  return route(request, listener, {.has_admin_endpoints = has_admin_endpoints});
}

TEST(Route, leads_to_an_endpoint_and_what_to_do_there) {
  const struct {
    const char* what;
    Method method;
    std::string_view path;
    Listener listener;
    bool has_admin_endpoints;
    Route route;
  } cases[] = {
      {"publish",
       Method::kPost,
       "/.well-known/mercure",
       kMain,
       false,
       {Endpoint::kHub, Act::kPublish}},
      {"subscribe",
       Method::kGet,
       "/.well-known/mercure",
       kMain,
       false,
       {Endpoint::kHub, Act::kSubscribe}},
      {"only the head of a stream",
       Method::kHead,
       "/.well-known/mercure",
       kMain,
       false,
       {Endpoint::kHub, Act::kSubscribe}},
      {"a preflight",
       Method::kOptions,
       "/.well-known/mercure",
       kMain,
       false,
       {Endpoint::kHub, Act::kOptions}},
      {"another method",
       Method::kOther,
       "/.well-known/mercure",
       kMain,
       false,
       {Endpoint::kHub, Act::kNotAllowed}},
      {"the hub on the administrator's listener",
       Method::kGet,
       "/.well-known/mercure",
       kAdmin,
       false,
       {Endpoint::kNone, Act::kNotFound}},
      {"below the hub",
       Method::kGet,
       "/.well-known/mercure/",
       kMain,
       false,
       {Endpoint::kNone, Act::kNotFound}},
      {"an escaped path",
       Method::kGet,
       "/.well-known/%6Dercure",
       kMain,
       false,
       {Endpoint::kNone, Act::kNotFound}},
      {"an unknown path, by any method",
       Method::kPost,
       "/",
       kMain,
       true,
       {Endpoint::kNone, Act::kNotFound}},
      {"options of an unknown path",
       Method::kOptions,
       "/x",
       kMain,
       true,
       {Endpoint::kNone, Act::kNotFound}},
      {"options of the server",
       Method::kOptions,
       "*",
       kMain,
       false,
       {Endpoint::kServer, Act::kOptions}},
      {"health on the administrator's listener",
       Method::kGet,
       "/healthz",
       kAdmin,
       false,
       {Endpoint::kHealth, Act::kShow}},
      {"readiness on it", Method::kHead, "/readyz", kAdmin, false, {Endpoint::kReady, Act::kShow}},
      {"metrics on it", Method::kGet, "/metrics", kAdmin, false, {Endpoint::kMetrics, Act::kShow}},
      {"health on the main listener",
       Method::kGet,
       "/healthz",
       kMain,
       true,
       {Endpoint::kHealth, Act::kShow}},
      {"metrics on the main listener",
       Method::kGet,
       "/metrics",
       kMain,
       true,
       {Endpoint::kMetrics, Act::kShow}},
      {"health where it is not on the main listener",
       Method::kGet,
       "/healthz",
       kMain,
       false,
       {Endpoint::kNone, Act::kNotFound}},
      {"readiness where it is not",
       Method::kGet,
       "/readyz",
       kMain,
       false,
       {Endpoint::kNone, Act::kNotFound}},
      {"metrics where they are not",
       Method::kGet,
       "/metrics",
       kMain,
       false,
       {Endpoint::kNone, Act::kNotFound}},
      {"a post of metrics",
       Method::kPost,
       "/metrics",
       kAdmin,
       false,
       {Endpoint::kMetrics, Act::kNotAllowed}},
      {"another method for health",
       Method::kOther,
       "/healthz",
       kAdmin,
       false,
       {Endpoint::kHealth, Act::kNotAllowed}},
      {"options of metrics",
       Method::kOptions,
       "/metrics",
       kAdmin,
       false,
       {Endpoint::kMetrics, Act::kOptions}},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.what);
    EXPECT_EQ(routed(c.method, c.path, c.listener, c.has_admin_endpoints), c.route);
  }
}

TEST(Route, leads_to_tickets_where_there_are_tokens) {
  const auto routed_with = [](Method method, Listener listener, bool has_tokens) {
    http::Request request;
    request.method = method;
    request.path = "/hub/tickets";
    Policy policy{.tickets_path = "/hub/tickets"};
    if (has_tokens) {
      policy.trust = std::make_shared<const auth::TrustPolicy>();
    }
    return route(request, listener, policy);
  };
  const Route minting{Endpoint::kTickets, Act::kMint};
  EXPECT_EQ(routed_with(Method::kPost, kMain, true), minting);
  EXPECT_EQ(routed_with(Method::kGet, kMain, true).act, Act::kNotAllowed);
  EXPECT_EQ(routed_with(Method::kOptions, kMain, true).act, Act::kOptions);
  EXPECT_EQ(routed_with(Method::kPost, kMain, false), Route());
  EXPECT_EQ(routed_with(Method::kPost, kAdmin, true), Route());
  EXPECT_EQ(allowed_methods(Endpoint::kTickets), "POST, OPTIONS");
}

TEST(Route, knows_the_methods_of_each_endpoint) {
  EXPECT_EQ(allowed_methods(Endpoint::kHub), "GET, HEAD, POST, OPTIONS");
  EXPECT_EQ(allowed_methods(Endpoint::kServer), "GET, HEAD, POST, OPTIONS");
  EXPECT_EQ(allowed_methods(Endpoint::kHealth), "GET, HEAD, OPTIONS");
  EXPECT_EQ(allowed_methods(Endpoint::kReady), "GET, HEAD, OPTIONS");
  EXPECT_EQ(allowed_methods(Endpoint::kMetrics), "GET, HEAD, OPTIONS");
}

TEST(RouteDeathTest, stops_at_the_methods_of_nothing) {
  EXPECT_DEATH(allowed_methods(Endpoint::kNone), "kNone");
}

}  // namespace
}  // namespace vrelo::api
