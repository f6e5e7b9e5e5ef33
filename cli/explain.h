// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "cli/process.h"

namespace vrelo::cli {

// `vrelo explain`: asks a hub's administration why a request would be allowed or refused.
sse::client::Task<int> explain(Process& process, std::vector<std::string> arguments);

}  // namespace vrelo::cli
