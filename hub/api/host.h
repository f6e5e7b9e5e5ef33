// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>

#include "hub/api/policy.h"
#include "hub/http/problem.h"
#include "hub/http/request.h"

namespace vrelo::api {

// Returns why the hub does not answer under the name that `request` was sent to; nullopt: it does.
//
// A page of evil.example may point its own name at 127.0.0.1 (DNS rebinding). To the browser the
// hub then has the page's own origin, and only the name in Host tells. Always allowed are what
// nobody can point elsewhere: IP addresses, localhost and the names below it (RFC 6761 6.3), and no
// name at all, which no browser sends. All others have to be in the settings. Names have no case; a
// port and the dot at the end of a whole name are not looked at.
//
// Errors: 400 (not a host), 421 (RFC 9110 15.5.20: not for this server); both name Host.
std::optional<http::Problem> refuse_host(const http::Request& request, const Policy& policy);

}  // namespace vrelo::api
