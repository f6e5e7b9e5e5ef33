// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

#include <boost/system/result.hpp>

#include "cli/arguments.h"
#include "cli/commands.h"
#include "cli/process.h"
#include "hub/base/setting_text.h"

namespace vrelo::cli {

// Reads the arguments of `command` into its options, and makes of these what it is to do. Returns
// that, or the status to exit with, where one of the two said why it goes no further.
template <typename Options, typename Plan>
boost::system::result<Plan, int> read_plan(
    Process& process,
    const std::string& command,
    const std::vector<std::string>& arguments,
    std::optional<int> (*read_options)(Options&, const std::vector<std::string>&, Process&),
    base::Parsed<Plan> (*make_plan)(const Options&)) {
  Options options;
  if (const auto status = read_options(options, arguments, process)) {
    return *status;
  }
  auto plan = make_plan(options);
  if (!plan) {
    say(process.err, command, plan.error().message);
    return kUsage;
  }
  return *std::move(plan);
}

}  // namespace vrelo::cli
