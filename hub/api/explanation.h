// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include <boost/system/result.hpp>

#include "hub/api/policy.h"
#include "hub/auth/authenticator.h"
#include "hub/base/clock.h"
#include "hub/base/topic_patterns.h"
#include "hub/http/problem.h"
#include "hub/http/request.h"

namespace vrelo::api {

// What a Front judges requests by.
struct ExplainParts {
  const Policy& policy;
  auth::Authenticator* authenticator;  // nullptr: there is no key
  base::TopicPatterns& patterns;
  const base::Clock& clock;
};

// Returns which keys, that may come, the request would wait for that `request` describes.
auth::KeysWanted keys_of_explained(const http::Request& request, const ExplainParts& parts);

// Returns, as JSON, whether the hub would take a request just now, and why: who its token is, which
// of its rights covers what, and which limits there are. Nothing is done, counted or logged.
//
// `request` describes it. The query: `action` (publish or subscribe), `channel` (header, cookie or
// query: how the token comes), `origin` and `host` (the fields of that name), and all else that it
// would have in its form or its query. The field Explained-Token: its token, since URLs get into
// logs.
//
// The description says no more of a token that is refused than is written in it, and that nothing
// of it is verified.
// Errors: 400: it describes nothing, or has a token in its URL; names the field.
// Cost: that of judging the request; compiles the token's patterns.
boost::system::result<std::string, http::Problem> explain(const http::Request& request,
                                                          const ExplainParts& parts);

}  // namespace vrelo::api
