// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string_view>

namespace vrelo::base {

// Returns the one of `names` that somebody most likely meant who wrote `word`: the one with the
// fewest characters inserted, removed, changed or swapped with their neighbour; "" if none is near.
//
// Cost: the product of the lengths, per name. For error messages.
std::string_view nearest(std::string_view word, std::span<const std::string_view> names);

}  // namespace vrelo::base
