// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "hub/auth/errc.h"

namespace vrelo::auth {

// The way that a token came.
enum class Channel {
  kNone,         // it did not
  kHeader,       // Authorization: Bearer
  kQuery,        // the parameter authorization of 0.x
  kCookie,       // a browser sends it whether its user wants to or not
  kFormerCookie  // that of 0.x
};

// What of a request may hold a token. Lifetime: as the request.
struct Presented {
  std::span<const std::string_view> authorization_fields = {};  // values
  std::span<const std::string_view> cookie_fields = {};         // values
  std::optional<std::string_view> query_token = {};             // decoded
};

struct CredentialRules {
  std::string cookie_name = "__Secure-mercure_access_token";

  // For issuers whose tokens may be those of 0.x.
  bool takes_query_token = false;
  std::string former_cookie_name = {};  // "mercureAuthorization"; "": it is not looked at
};

// A token as it came: nothing about it is known, but that only characters of a token are in it.
struct Credentials {
  Channel channel = Channel::kNone;
  std::string_view token = {};  // "" for kNone; a part of what was presented

  friend bool operator==(const Credentials&, const Credentials&) = default;
};

// Finds the token of a request: in the header, the query, the cookie or the former cookie, in this
// order. Where there is an Authorization field, nothing else is looked at, even if its scheme is
// not Bearer: a proxy that logs its users in by a password must not make them somebody else here.
//
// Errors: kAuthorizationTwice to kCookieMalformed.
// Source: draft-dunglas-mercure-08 6.1; RFC 6750 2.1. Of our own: a cookie that comes twice with
// one value is one, and one without a value is none.
Result<Credentials> find_credentials(const Presented& presented, const CredentialRules& rules);

// Returns the value of the cookie `name`, or nullopt if it is nowhere in the Cookie fields, or
// empty.
//
// Errors: kCookieTwice: it has two values, of which each might be somebody else's.
// Source: RFC 6265 4.2.1 and 5.4; names have a case.
Result<std::optional<std::string_view>> find_cookie(std::span<const std::string_view> fields,
                                                    std::string_view name);

}  // namespace vrelo::auth
