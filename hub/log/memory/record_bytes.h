// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>

#include "hub/log/log.h"

namespace vrelo::log::memory {

// What a record of `event` takes in memory, with its names in the indexes.
std::size_t bytes_of(const Event& event);

}  // namespace vrelo::log::memory
