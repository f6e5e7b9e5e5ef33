// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>
#include <vector>

#include <toml++/toml.h>

#include "hub/base/settings.h"

namespace vrelo::base {

inline constexpr std::string_view kIssuers = "issuers";

// Reads the tables [[issuers]] of the file named `file`. Names of other files are taken from its
// folder.
//
// Errors: a message that begins with the place of the fault: "hub.toml:7: issuers[0].roles".
Parsed<std::vector<IssuerSettings>> read_issuers(const toml::node& node, std::string_view file);

}  // namespace vrelo::base
