// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include <boost/system/result.hpp>

#include "hub/auth/authenticator.h"
#include "hub/auth/revocations.h"
#include "hub/http/problem.h"
#include "hub/http/request.h"

namespace vrelo::api {

// Reads the form of a revocation: `issuer`, and one of `token` (a jti), `subject`, `key` (a kid)
// and `label`; or a `session` alone. Errors: a problem that names the field.
boost::system::result<auth::Revocation, http::Problem> read_revocation(
    const http::Request& request, const auth::TrustPolicy& trust, auth::NumericDate now);

// A revocation, and all of them, as JSON: {"issuer":…,"token":…,"at":…}, "at" in seconds.
std::string revocation_json(const auth::Revocation& revocation);
std::string revocations_json(const auth::TrustPolicy& trust);

// Why nothing is revoked, where the request is not at fault.
http::Problem not_revoked(const boost::system::error_code& error);

}  // namespace vrelo::api
