// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>

#include "hub/api/policy.h"
#include "hub/http/problem.h"
#include "hub/http/request.h"
#include "hub/http/response.h"

namespace vrelo::api {

// The fields that every answer of the hub's URL begins with, refusals too. A page of an allowed
// origin may read the answer, with credentials, and the fields that the protocol's clients need.
// Any other gets nothing but Vary: never "*", never an origin that is not allowed, never "null",
// which is the origin of every sandboxed frame and local file.
//
// Cross-Origin-Resource-Policy, which each answer has, does not stand in the way of an allowed
// page: browsers look at it only where a page includes something without CORS.
// Source: WHATWG Fetch 3.2 and 3.7; mercure.md R12.
http::FieldLines cors_fields(const http::Request& request, const Policy& policy);

// The same for OPTIONS. A preflight of an allowed origin learns what it may send. It needs no
// credentials, and grants nothing by itself: the request that follows is judged anew. A request to
// come from the public network into a private one (Access-Control-Request-Private-Network) is not
// granted.
http::FieldLines preflight_fields(const http::Request& request, const Policy& policy);

// Returns why a page may not publish here; nullopt: it may, or no page is behind `request`.
//
// Any page can make its reader's browser send a form to a hub on that reader's machine or network,
// without a preflight, and CORS only keeps it from reading the answer. Browsers name the page's
// origin in every POST. It has to be allowed, or the hub's own: that of its public URL, and only if
// none is set that of an audience, or that of Host. (There its scheme is compared only if it is the
// audience's host, because a proxy in front of the hub may have done the TLS.) Without Origin the
// sender is not a page.
//
// `channel`: how its token came. With one that came by itself, in a cookie, it has to say where it
// comes from, by Origin or else by Referer. One that was given on purpose, in the header or the
// query, makes it anybody's that has the token.
//
// Errors: 403, names Origin or Referer.
// Source: draft-dunglas-mercure-08, section 13; mercure.md R21 and case 100.
std::optional<http::Problem> refuse_publisher(const http::Request& request,
                                              const Policy& policy,
                                              auth::Channel channel);

// The same for what a cookie came with, whatever that is worth.
inline std::optional<http::Problem> refuse_page_with_cookie(const http::Request& request,
                                                            const Policy& policy) {
  return refuse_publisher(request, policy, auth::Channel::kCookie);
}

// Returns why a page may not use a ticket, or mint one; nullopt: it may, or no page of another
// origin is behind `request`. As refuse_publisher(), with a text of its own.
std::optional<http::Problem> refuse_foreign_page(const http::Request& request,
                                                 const Policy& policy);

}  // namespace vrelo::api
