// SPDX-License-Identifier: Apache-2.0
//
// Looks at every order of what can happen with a ticket, for several casts of clients and
// accidents.
//
//   vrelo_tickets                  until there is a fault, and what led to it
//   vrelo_tickets --more 2         with two requests more each
//   vrelo_tickets --expect TEXT    until there is a fault that has this text
//
// Exit status 0: there was none, 1: there was one. With --expect, 0: there was one, 1: none.
#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
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
      {"the end of a session",
       {.twin_with_url = true,
        .thief_with_proof = true,
        .crashes = true,
        .session_ends = true,
        .requests = 3}},
      {"nodes that are full",
       {.twin_with_url = true, .thief_with_proof = true, .full_nodes = true}},
      {"a node that is full, the owner alone, with crashes", {.crashes = true, .full_nodes = true}},
      {"a store that fails", {.thief_with_url = true, .crashes = true, .store_fails = true}},
      {"a store that fails, and a revocation",
       {.thief_with_proof = true,
        .crashes = true,
        .ends = true,
        .store_fails = true,
        .requests = 3}},
      {"two nodes", {.twin_with_url = true, .thief_with_proof = true, .second_node = true}},
      {"two nodes, the owner alone", {.crashes = true, .second_node = true}},
      {"everybody, with crashes, a backup, ends and two nodes",
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

// Returns the first fault; "": there is none. Prints what was found.
std::string fault_in(const Case& one) {
  const auto explored = vrelo::sim::tickets::explore(one.cast);
  if (!explored.fault.empty()) {
    fmt::print("{}: {}\n  {}\n", one.name, explored.fault, fmt::join(explored.history, "\n  "));
  } else {
    fmt::print("{}: all {} states that up to {} requests lead to, in at most {} steps: no fault\n",
               one.name, explored.states, one.cast.requests, explored.steps);
  }
  return explored.fault;
}

}  // namespace

int main(int count, char** arguments) {
  constexpr std::uint64_t kMoreMax = 100;
  vrelo::base::Parsed<std::uint64_t> more = 0;
  std::optional<std::string_view> expected;
  bool is_understood = true;
  for (int i = 1; i < count; ++i) {
    const std::string_view option = arguments[i];
    if (option == "--more" && i + 1 < count) {
      more = vrelo::base::parse_count(arguments[++i]);
    } else if (option == "--expect" && i + 1 < count) {
      expected = arguments[++i];
      is_understood = is_understood && !expected->empty();
    } else {
      is_understood = false;
    }
  }
  if (!is_understood || !more || *more > kMoreMax) {
    fmt::print(stderr, "usage: vrelo_tickets [--more N] [--expect TEXT]\n");
    return 2;
  }
  std::vector<Case> cases = all_cases();
  // A fault that is not the expected one is passed over: without a rule there may be several.
  const bool is_found = std::any_of(cases.begin(), cases.end(), [&more, &expected](Case& one) {
    one.cast.requests += static_cast<int>(*more);
    const std::string fault = fault_in(one);
    return !fault.empty() && fault.find(expected.value_or("")) != std::string::npos;
  });
  return is_found == expected.has_value() ? 0 : 1;
}
