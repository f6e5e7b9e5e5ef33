// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "cli/process.h"
#include "sse/client/task.h"

namespace vrelo::cli {

// `vrelo ticket`: gets a ticket of a hub, and prints it. `ticket --help` says what its arguments
// are.
sse::client::Task<int> ticket(Process& process, std::vector<std::string> arguments);

}  // namespace vrelo::cli
