// SPDX-License-Identifier: Apache-2.0
#include "hub/api/cors.h"

#include <algorithm>
#include <string_view>

namespace vrelo::api {
namespace {

// Takes `prefix` off `text` if it begins with it.
bool take(std::string_view& text, std::string_view prefix) {
  if (!text.starts_with(prefix)) {
    return false;
  }
  text.remove_prefix(prefix.size());
  return true;
}

// "http://localhost:5173", and the same with https or 127.0.0.1, with or without a port.
bool is_local(std::string_view origin) {
  if (!take(origin, "http://") && !take(origin, "https://")) {
    return false;
  }
  if (!take(origin, "localhost") && !take(origin, "127.0.0.1")) {
    return false;
  }
  if (origin.empty()) {
    return true;
  }
  return take(origin, ":") && !origin.empty() && origin.size() <= 5 &&
         std::all_of(origin.begin(), origin.end(), [](char c) { return c >= '0' && c <= '9'; });
}

bool is_allowed(std::string_view origin, const Policy& policy) {
  return std::find(policy.allowed_origins.begin(), policy.allowed_origins.end(), origin) !=
             policy.allowed_origins.end() ||
         (policy.allows_local_origins && is_local(origin));
}

// "https://app.example/a/b" is of "https://app.example".
std::string_view origin_of(std::string_view url) {
  const std::size_t scheme_end = url.find("://");
  return scheme_end == std::string_view::npos
             ? url
             : url.substr(0, url.find_first_of("/?#", scheme_end + 3));
}

// Without a port that is a scheme's own: a browser leaves that out.
std::string_view without_own_port(std::string_view host, std::string_view scheme) {
  const std::string_view port = scheme == "https://" ? ":443" : ":80";
  return host.ends_with(port) ? host.substr(0, host.size() - port.size()) : host;
}

// Whether `origin`, of a browser, is `scheme`, which ends in "://", at `host`.
bool is_at(std::string_view origin, std::string_view scheme, std::string_view host) {
  return !host.empty() && take(origin, scheme) &&
         http::iequals(origin, without_own_port(host, scheme));
}

// Whether `origin` is the hub's: that of its public URL if one is set, and no other. Host cannot
// stand beside it: proxies leave out its port, and a cookie goes to every port of a host.
//
// Where the URL is only that of an audience, or not known, that of Host is too. At the host of the
// audience only its scheme is the hub's: what comes over plain HTTP, anybody on the way can write.
// Of other hosts the scheme is not known, since a proxy may have done the TLS.
bool is_own(std::string_view origin, std::string_view host, const Policy& policy) {
  if (std::string_view own = origin_of(policy.public_url); !own.empty()) {
    const std::string_view scheme = own.starts_with("https://") ? "https://" : "http://";
    own.remove_prefix(scheme.size());
    if (is_at(origin, scheme, own)) {
      return true;
    }
    if (policy.has_set_public_url) {
      return false;
    }
    for (const std::string_view one : {"http://", "https://"}) {
      if (http::iequals(without_own_port(host, one), without_own_port(own, scheme))) {
        return false;
      }
    }
  }
  return is_at(origin, "http://", host) || is_at(origin, "https://", host);
}

// Returns the origin of the page that `request` comes from, if that page may read the answer. A
// second Origin would be one that nobody has checked.
std::optional<std::string_view> allowed_origin(const http::Request& request, const Policy& policy) {
  const auto origin = request.field("Origin");
  if (!origin || request.count("Origin") > 1 || !is_allowed(*origin, policy)) {
    return std::nullopt;
  }
  return origin;
}

void add_origin(http::FieldLines& fields, std::string_view origin) {
  fields.add("Access-Control-Allow-Origin", origin);
  fields.add("Access-Control-Allow-Credentials", "true");
}

// Returns why the page whose origin, or URL, is in `field` may not act here; nullopt: it may.
std::optional<http::Problem> refuse_origin(const http::Request& request,
                                           std::string_view field,
                                           const Policy& policy,
                                           std::string_view detail) {
  const std::string_view value = request.field(field).value_or("");
  const std::string_view origin = field == "Referer" ? origin_of(value) : value;
  if (request.count(field) == 1 &&
      (is_allowed(origin, policy) || is_own(origin, request.host, policy))) {
    return std::nullopt;
  }
  return http::Problem{.status = 403,
                       .title = "origin not allowed",
                       .field = std::string(field),
                       .detail = std::string(detail)};
}

constexpr std::string_view kNoPublishing =
    "Pages of this origin may not publish. If they should, the setting allowed_origins has to list "
    "it.";
constexpr std::string_view kNoTickets =
    "Pages of this origin may not use tickets. If they should, the setting allowed_origins has to "
    "list it.";

}  // namespace

http::FieldLines cors_fields(const http::Request& request, const Policy& policy) {
  http::FieldLines fields;
  fields.add("Vary", "Origin");
  if (const auto origin = allowed_origin(request, policy)) {
    add_origin(fields, *origin);
    fields.add("Access-Control-Expose-Headers",
               "Link, Mercure-Last-Event-ID, Last-Event-ID, WWW-Authenticate, Accept-Query, "
               "Retry-After");
  }
  return fields;
}

http::FieldLines preflight_fields(const http::Request& request, const Policy& policy) {
  http::FieldLines fields;
  fields.add("Vary", "Origin");
  if (const auto origin = allowed_origin(request, policy)) {
    add_origin(fields, *origin);
    fields.add("Access-Control-Allow-Methods", "GET, HEAD, POST");
    fields.add("Access-Control-Allow-Headers",
               "Authorization, Last-Event-ID, Cache-Control, Content-Type");
    fields.add("Access-Control-Max-Age", "7200");
  }
  return fields;
}

std::optional<http::Problem> refuse_publisher(const http::Request& request,
                                              const Policy& policy,
                                              auth::Channel channel) {
  const bool is_ambient = auth::is_ambient(channel);
  if (!is_ambient && channel != auth::Channel::kNone) {
    return std::nullopt;
  }
  if (request.field("Origin")) {
    return refuse_origin(request, "Origin", policy, kNoPublishing);
  }
  if (!is_ambient) {
    return std::nullopt;
  }
  if (request.field("Referer")) {
    return refuse_origin(request, "Referer", policy, kNoPublishing);
  }
  return http::Problem{.status = 403,
                       .title = "origin missing",
                       .field = "Origin",
                       .detail = "With a cookie it has to say which page it comes from."};
}

std::optional<http::Problem> refuse_foreign_page(const http::Request& request,
                                                 const Policy& policy) {
  if (!request.field("Origin")) {
    return std::nullopt;
  }
  return refuse_origin(request, "Origin", policy, kNoTickets);
}

}  // namespace vrelo::api
