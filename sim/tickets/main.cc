// SPDX-License-Identifier: Apache-2.0
//
// Looks at every order of what can happen with a ticket, for several casts of clients and
// accidents.
//
//   vrelo_tickets                     exit status 0: no fault in any; 1: one, and what led to it
//   vrelo_tickets --expect-failure    the other way round
#include <cstdio>
#include <string_view>

#include <fmt/format.h>

#include "sim/tickets/model.h"

int main(int count, char** arguments) {
  using vrelo::sim::tickets::Cast;
  const struct {
    std::string_view name;
    Cast cast;
  } cases[] = {
      {"the owner alone, with crashes", {.crashes = true, .depth = 9}},
      {"thieves with the URL", {.thief_with_url = true, .twin_with_url = true, .depth = 7}},
      {"thieves with the URL, and crashes",
       {.thief_with_url = true, .twin_with_url = true, .crashes = true, .depth = 5}},
      {"a thief with the proof", {.thief_with_proof = true, .depth = 9}},
      {"a thief with the proof, and crashes",
       {.thief_with_proof = true, .crashes = true, .depth = 7}},
      {"a backup", {.thief_with_url = true, .crashes = true, .backup = true, .depth = 5}},
      {"the end of a ticket's time, and a revocation",
       {.thief_with_proof = true, .crashes = true, .backup = true, .ends = true, .depth = 5}},
      {"two nodes",
       {.twin_with_url = true, .thief_with_proof = true, .second_node = true, .depth = 5}},
      {"two nodes, the owner alone", {.crashes = true, .second_node = true, .depth = 6}},
  };
  const bool wants_failure = count > 1 && std::string_view(arguments[1]) == "--expect-failure";
  for (const auto& [name, cast] : cases) {
    const auto explored = vrelo::sim::tickets::explore(cast);
    if (!explored.fault.empty()) {
      fmt::print("{}: {}\n", name, explored.fault);
      for (const auto& step : explored.history) {
        fmt::print("  {}\n", step);
      }
      return wants_failure ? 0 : 1;
    }
    fmt::print("{}: {} states, no fault\n", name, explored.states);
  }
  return wants_failure ? 1 : 0;
}
