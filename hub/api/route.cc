// SPDX-License-Identifier: Apache-2.0
#include "hub/api/route.h"

#include <cassert>

namespace vrelo::api {
namespace {

Endpoint endpoint_of(const http::Request& request, Listener listener, const Policy& policy) {
  if (request.path == "*") {
    return Endpoint::kServer;
  }
  if (listener == Listener::kMain && request.path == policy.path) {
    return Endpoint::kHub;
  }
  if (listener == Listener::kMain && !policy.metadata.empty() &&
      request.path == policy.metadata_path) {
    return Endpoint::kMetadata;
  }
  if (listener == Listener::kMain && policy.trust != nullptr &&
      request.path == policy.tickets_path) {
    return Endpoint::kTickets;
  }
  if (listener == Listener::kAdmin || policy.has_admin_endpoints) {
    if (request.path == "/healthz") {
      return Endpoint::kHealth;
    }
    if (request.path == "/readyz") {
      return Endpoint::kReady;
    }
    if (request.path == "/metrics") {
      return Endpoint::kMetrics;
    }
    if (request.path == "/admin/explain") {
      return Endpoint::kExplanation;
    }
    if (request.path == "/admin/revocations" && policy.trust != nullptr) {
      return Endpoint::kRevocations;
    }
  }
  return Endpoint::kNone;
}

Act act_on(Endpoint endpoint, http::Method method) {
  if (endpoint == Endpoint::kNone) {
    return Act::kNotFound;
  }
  switch (method) {
    case http::Method::kGet:
    case http::Method::kHead:
      return endpoint == Endpoint::kHub       ? Act::kSubscribe
             : endpoint == Endpoint::kTickets ? Act::kNotAllowed
                                              : Act::kShow;
    case http::Method::kPost:
      return endpoint == Endpoint::kHub           ? Act::kPublish
             : endpoint == Endpoint::kTickets     ? Act::kMint
             : endpoint == Endpoint::kRevocations ? Act::kRevoke
                                                  : Act::kNotAllowed;
    case http::Method::kOptions:
      return Act::kOptions;
    case http::Method::kOther:
      return Act::kNotAllowed;
  }
  return Act::kNotAllowed;
}

}  // namespace

Route route(const http::Request& request, Listener listener, const Policy& policy) {
  const Endpoint endpoint = endpoint_of(request, listener, policy);
  // The parser lets "*" pass in OPTIONS alone.
  assert(endpoint != Endpoint::kServer || request.method == http::Method::kOptions);
  return {.endpoint = endpoint, .act = act_on(endpoint, request.method)};
}

std::string_view allowed_methods(Endpoint endpoint) {
  assert(endpoint != Endpoint::kNone);
  if (endpoint == Endpoint::kTickets) {
    return "POST, OPTIONS";
  }
  const bool takes_posts = endpoint == Endpoint::kHub || endpoint == Endpoint::kRevocations ||
                           endpoint == Endpoint::kServer;
  return takes_posts ? "GET, HEAD, POST, OPTIONS" : "GET, HEAD, OPTIONS";
}

}  // namespace vrelo::api
