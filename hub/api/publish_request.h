// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/system/result.hpp>

#include "hub/api/policy.h"
#include "hub/http/problem.h"
#include "hub/http/request.h"
#include "hub/log/log.h"

namespace vrelo::api {

// Reads the event that a publisher sends: a form with `topic` (at least one), and `data`, `id`,
// `type`, `retry` and `private`, of which the first counts. Other fields are ignored. An empty
// `id`, `type` or `retry` is as good as none; `private` counts by being there.
//
// Invariant: what comes out keeps the promises of log::Event and all limits of `policy`.
// Errors: each names the header or the form field. 400: malformed; 413: over a limit; 415: not a
// form.
// Cost: linear in the body, but for topics that may stand for the hub itself: see reserved_topic.h.
// Source: draft-dunglas-mercure-08, section 5; mercure.md R2 to R6, R33, R37, R39. Refused beyond
// it: types that begin with "vrelo.", which are the hub's own.
boost::system::result<log::Event, http::Problem> read_publish(const http::Request& request,
                                                              const Policy& policy);

}  // namespace vrelo::api
