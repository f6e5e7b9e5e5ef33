// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "cli/process.h"
#include "sse/client/task.h"

namespace vrelo::cli {

// `vrelo sub`: prints the events of a URL as they come, and comes back where a stream ends. `sub
// --help` says what its arguments are.
sse::client::Task<int> sub(Process& process, std::vector<std::string> arguments);

}  // namespace vrelo::cli
