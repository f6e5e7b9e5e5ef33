// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "cli/load/load.h"
#include "cli/load/workload.h"

namespace vrelo::cli {

// What is to be seen while it runs: one line, without its end.
std::string progress_text(const load::Workload& workload, const load::Progress& progress);

// A table for people, and a histogram of the latency. Ends with LF.
std::string report_text(const load::Workload& workload, const load::Report& report);

// The same for programs: a JSON object in one line. Times are in the unit that a member's name ends
// with: _s, _ms, _us.
std::string report_json(const load::Workload& workload, const load::Report& report);

// Whether every stream came to be and stayed, and got every event once and in order.
bool is_faultless(const load::Workload& workload, const load::Report& report);

}  // namespace vrelo::cli
