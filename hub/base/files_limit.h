// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>

namespace vrelo::base {

// Lets the process have as many descriptors as the system allows it, since each stream is one, and
// returns how many that are.
std::size_t raise_files_max();

}  // namespace vrelo::base
