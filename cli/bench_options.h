// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "cli/load/workload.h"
#include "cli/output.h"
#include "hub/base/setting_text.h"

namespace vrelo::cli {

inline constexpr const char* kBenchName = "vrelo bench";

// The topic that a hub is loaded with, unless the URL names another.
inline constexpr const char* kBenchTopic = "vrelo-bench";

// What the arguments of `vrelo bench` say.
struct BenchOptions {
  load::Workload workload;
  bool json = false;
};

// Reads them. Returns the status to exit with where there is nothing to run: `out` then has the
// help, or `err` a line that says what is wrong.
//
// Cost: looks up the names of hosts, reads the file of the token.
std::variant<BenchOptions, int> read_bench_options(const std::vector<std::string>& arguments,
                                                   Output& out,
                                                   Output& err);

}  // namespace vrelo::cli
