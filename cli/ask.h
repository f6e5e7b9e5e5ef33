// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include <boost/system/result.hpp>

#include "cli/token_file.h"
#include "sse/client/connection.h"
#include "sse/client/event_source.h"
#include "sse/client/task.h"
#include "sse/client/url.h"

namespace vrelo::cli {

// Asks for a URL once, with further `fields`, and returns what the answer's body holds.
//
// Lifetime: `network` outlives it.
// Errors: there was no answer within 30 s; its status is not 200; it has more than 1 MiB.
sse::client::Task<boost::system::result<std::string, sse::client::Failure>> ask(
    const sse::client::Network& network, sse::client::Url url, Fields fields);

}  // namespace vrelo::cli
