// SPDX-License-Identifier: Apache-2.0
//
// Looks at every order of what can happen with a ticket, for several casts of clients and
// accidents.
//
//   vrelo_tickets                     exit status 0: no fault in any; 1: one, and what led to it
//   vrelo_tickets --more 2            with two requests more each
//   vrelo_tickets --expect-failure    the other way round
#include <algorithm>
#include <cstdint>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "hub/base/setting_text.h"
#include "sim/tickets/model.h"

namespace {

struct Case {
  std::string_view name;
  vrelo::sim::tickets::Cast cast;
};

std::vector<Case> all_cases() {
  return {
      {"the owner alone, with crashes", {.crashes = true}},
      {"thieves with the URL", {.thief_with_url = true, .twin_with_url = true}},
      {"thieves with the URL, and crashes",
       {.thief_with_url = true, .twin_with_url = true, .crashes = true}},
      {"a thief with the proof", {.thief_with_proof = true}},
      {"a thief with the proof, and crashes", {.thief_with_proof = true, .crashes = true}},
      {"a backup", {.thief_with_url = true, .crashes = true, .backup = true}},
      {"the end of a ticket's time, and a revocation",
       {.thief_with_proof = true, .crashes = true, .backup = true, .ends = true}},
      {"two nodes", {.twin_with_url = true, .thief_with_proof = true, .second_node = true}},
      {"two nodes, the owner alone", {.crashes = true, .second_node = true}},
      {"all of them and all of it",
       {.thief_with_url = true,
        .twin_with_url = true,
        .thief_with_proof = true,
        .crashes = true,
        .backup = true,
        .second_node = true,
        .ends = true,
        .requests = 3}},
  };
}

// Returns whether there is no fault, and prints what was found.
bool is_good(const Case& one) {
  const auto explored = vrelo::sim::tickets::explore(one.cast);
  if (!explored.fault.empty()) {
    fmt::print("{}: {}\n  {}\n", one.name, explored.fault, fmt::join(explored.history, "\n  "));
    return false;
  }
  fmt::print("{}: all {} states that up to {} requests lead to, in at most {} steps: no fault\n",
             one.name, explored.states, one.cast.requests, explored.steps);
  return true;
}

}  // namespace

int main(int count, char** arguments) {
  constexpr std::uint64_t kMoreMax = 100;
  vrelo::base::Parsed<std::uint64_t> more = 0;
  bool wants_failure = false;
  bool is_understood = true;
  for (int i = 1; i < count; ++i) {
    const std::string_view option = arguments[i];
    if (option == "--expect-failure") {
      wants_failure = true;
    } else if (option == "--more" && i + 1 < count) {
      more = vrelo::base::parse_count(arguments[++i]);
    } else {
      is_understood = false;
    }
  }
  if (!is_understood || !more || *more > kMoreMax) {
    fmt::print(stderr, "usage: vrelo_tickets [--more N] [--expect-failure]\n");
    return 2;
  }
  std::vector<Case> cases = all_cases();
  const bool all_good = std::all_of(cases.begin(), cases.end(), [&more](Case& one) {
    one.cast.requests += static_cast<int>(*more);
    return is_good(one);
  });
  return all_good == wants_failure ? 1 : 0;
}
