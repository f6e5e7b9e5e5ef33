// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "cli/process.h"
#include "sse/client/task.h"

namespace vrelo::cli {

// `vrelo pub`: publishes one event, or those that standard input holds, and prints their ids. `pub
// --help` says what its arguments are.
sse::client::Task<int> pub(Process& process, std::vector<std::string> arguments);

}  // namespace vrelo::cli
