// SPDX-License-Identifier: Apache-2.0
//
// Runs simulations, one a seed, until one fails.
//
//   vrelo_sim                     seeds 0 to 999
//   vrelo_sim --seeds 10000       that many, from 0
//   vrelo_sim --seed 42 --trace   that one, and what happens in it
//   vrelo_sim --expect TEXT       until one fails with a fault that has this text
//
// Exit status 0: none failed, 1: one did, and its seed was printed. With --expect, 0: one failed
// like that, and its seed was printed, 1: none did.
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <iostream>
#include <optional>
#include <string>

#include <unistd.h>

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include "sim/simulation.h"

namespace {

std::uint64_t seed_now = 0;

// An assertion of the hub has failed, which no planted bug is found by.
extern "C" void on_abort(int /*signal*/) {
  char text[64];
  const auto end = fmt::format_to_n(text, sizeof(text), "seed {}: an assertion failed\n", seed_now);
  static_cast<void>(::write(STDOUT_FILENO, text, end.size));
  ::_exit(1);
}

int run(int argc, char** argv) {
  CLI::App app("Simulates vrelo's fan-out on bad days.");
  std::uint64_t seeds = 1000;
  std::optional<std::uint64_t> seed;
  std::optional<std::string> expected;
  bool trace = false;
  bool digests = false;
  app.add_option("--seeds", seeds, "How many runs, with the seeds from 0");
  app.add_option("--seed", seed, "The one run with this seed");
  app.add_flag("--trace", trace, "Print what happens");
  app.add_flag("--digests", digests, "Print a number a run: equal where the same happened");
  app.add_option("--expect", expected, "Exit with 0 if one fails with this text, else with 1");
  CLI11_PARSE(app, argc, argv);
  std::signal(SIGABRT, on_abort);

  vrelo::sim::Tally sums;
  const std::uint64_t first = seed.value_or(0);
  const std::uint64_t end = seed ? *seed + 1 : seeds;
  for (seed_now = first; seed_now < end; ++seed_now) {
    vrelo::sim::Simulation simulation(seed_now, trace ? &std::cout : nullptr);
    const std::string fault = simulation.run();
    for (const auto& [what, count] : simulation.tally()) {
      sums[what] += count;
    }
    if (digests) {
      std::cout << "seed " << seed_now << ": digest " << simulation.digest() << '\n';
    }
    // A fault that is not the expected one is passed over: a planted bug may show in several ways,
    // and what else is wrong shows where none was planted.
    if (!fault.empty() && (!expected || fault.find(*expected) != std::string::npos)) {
      std::cout << "seed " << seed_now << ": " << fault << '\n';
      return expected ? 0 : 1;
    }
  }
  for (const auto& [what, count] : sums) {
    std::cout << fmt::format("{:>12} {}\n", count, what);
  }
  std::cout << (expected ? "not found" : "no fault") << " in " << end - first << " runs\n";
  return expected ? 1 : 0;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run(argc, argv);
  } catch (const std::exception& error) {
    static_cast<void>(std::fprintf(stderr, "vrelo_sim: %s\n", error.what()));
    return 2;
  }
}
