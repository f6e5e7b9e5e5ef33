// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include "hub/api/policy.h"

namespace vrelo::api {

// Returns whether `topic`, as a reference from the hub's URL, leads to `hub_path` or below it.
// Only the hub itself speaks of what is there (who is connected), so nobody may publish under such
// a name.
//
// Scheme, host, port, query and fragment do not matter. What cannot be parsed as a URL is not
// reserved. Whether the hub is reached by http or https depends on who asks, so both count.
//
// Cost: a scan for most topics; some parses of a URL, with allocations, for those that
// resolves_to_hub() has to look at.
// Source: draft-dunglas-mercure-08, sections 5 and 13.3; WHATWG URL.
bool is_reserved_topic(std::string_view topic, std::string_view hub_path = kHubPath);

// The whole check, and the scan in front of it, which is wrong on one side only.
//
// Invariant: what resolves to the hub may resolve to it.
bool resolves_to_hub(std::string_view topic, std::string_view hub_path = kHubPath);
bool may_resolve_to_hub(std::string_view topic, std::string_view hub_path = kHubPath);

}  // namespace vrelo::api
