// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "hub/base/setting_text.h"

namespace vrelo::cli {

// One event as `vrelo pub` is to publish it. Whether the hub takes it is for the hub to say.
struct Publication {
  std::vector<std::string> topics = {};
  std::string data = {};
  std::string id = {};    // "": none
  std::string type = {};  // "": none
  std::optional<std::uint64_t> retry_ms = {};
  bool is_private = false;

  friend bool operator==(const Publication&, const Publication&) = default;
};

// Reads one line of --ndjson: a JSON object with the members topic (a text, or a list of them),
// data, id, type, retry (milliseconds) and private (true or false). Data that is not a text is
// published as the JSON that it is, written anew: without spaces, and 1.10 as 1.1E0. `defaults`
// says what holds for members that are not there.
//
// Errors: what is wrong, as half a sentence: "\"dat\" is no member of an event; did you mean
// data?".
base::Parsed<Publication> parse_publication(std::string_view line, const Publication& defaults);

// The body of the request that publishes it.
std::string form_of(const Publication& publication);

// Returns `text` as it may stand in a query or a form: all but letters, digits and "-._~" as "%2F".
std::string percent_encoded(std::string_view text);

}  // namespace vrelo::cli
