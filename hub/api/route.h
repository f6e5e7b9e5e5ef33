// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include "hub/api/policy.h"
#include "hub/http/request.h"

namespace vrelo::api {

// Which of the hub's listeners a request came to.
enum class Listener { kMain, kAdmin };

// What a path names.
enum class Endpoint {
  kNone,         // nothing: 404
  kHub,          // publish and subscribe
  kHealth,       // whether the process runs
  kReady,        // whether it takes requests
  kMetrics,      // for Prometheus
  kMetadata,     // how the hub describes itself
  kTickets,      // tickets; only where there are tokens
  kRevocations,  // which tokens are refused; the same
  kExplanation,  // why a request would be allowed or refused
  kServer,       // "*", of OPTIONS alone
};

// What a request wants of its endpoint.
enum class Act {
  kPublish,
  kSubscribe,  // GET, and HEAD, which opens no stream
  kShow,       // GET and HEAD of what the administrator reads
  kMint,
  kRevoke,
  kOptions,
  kNotFound,
  kNotAllowed,  // 405: the endpoint is there, the method is not
};

struct Route {
  Endpoint endpoint = Endpoint::kNone;
  Act act = Act::kNotFound;

  friend bool operator==(const Route&, const Route&) = default;
};

// Returns what `request` means on `listener`. Paths are compared byte for byte. The administrator's
// endpoints are on the listener of their own, and on the main one only if `policy` says so; the
// hub's URL is on the main one alone.
Route route(const http::Request& request, Listener listener, const Policy& policy);

// The value of the field Allow: "GET, HEAD". `endpoint` is not kNone.
std::string_view allowed_methods(Endpoint endpoint);

}  // namespace vrelo::api
