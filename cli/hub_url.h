// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "hub/base/setting_text.h"
#include "sse/client/url.h"

namespace vrelo::cli {

// Where a hub takes and gives events, if its URL names no path.
inline constexpr std::string_view kHubPath = "/.well-known/mercure";

// Reads a URL that somebody typed.
// Errors: a sentence for them.
base::Parsed<sse::client::Url> read_url(std::string_view text);

// Returns `url` with the path of a hub, where it is an origin alone.
sse::client::Url hub_url(sse::client::Url url);

// Returns `url` with the query that asks for `topics` too; "*" asks for all of them.
sse::client::Url with_topics(sse::client::Url url, std::span<const std::string> topics);

}  // namespace vrelo::cli
