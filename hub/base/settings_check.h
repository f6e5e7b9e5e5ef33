// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "hub/base/settings.h"

namespace vrelo::base {

// Errors: how settings contradict each other, with the name of one.
Parsed<void> check_settings(const Settings& settings);

}  // namespace vrelo::base
