// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace vrelo::base {

// Returns 64 bits that nobody can foretell: for epochs, keys and whatever else must not be guessed.
//
// Threads: any.
// Cost: a system call.
std::uint64_t random_value();

}  // namespace vrelo::base
