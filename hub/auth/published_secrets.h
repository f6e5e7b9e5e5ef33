// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

namespace vrelo::auth {

// Returns whether `secret` stands in examples that many have copied, and is long enough to be taken
// for a key. Whoever knows the example can sign for a hub that has it.
bool is_published_secret(std::string_view secret);

}  // namespace vrelo::auth
