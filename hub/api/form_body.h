// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>

#include "hub/http/problem.h"
#include "hub/http/request.h"

namespace vrelo::api {

// Returns why the body is not taken for a form, by what the request says of it: 400 or 415.
std::optional<http::Problem> refuse_body_type(const http::Request& request);

}  // namespace vrelo::api
