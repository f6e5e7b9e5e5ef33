// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace vrelo::cli {

// What a command ends with, as a shell sees it. A command that a signal ended returns 128 and the
// signal's number, as shells say it: 130 for SIGINT.
inline constexpr int kOk = 0;
inline constexpr int kFailed = 1;        // the hub refused, or something broke on the way
inline constexpr int kUsage = 2;         // the arguments make no sense; nothing was done
inline constexpr int kNotConnected = 3;  // there was no hub to talk to

// One command of the binary: `vrelo NAME ARGUMENTS…`.
struct Command {
  std::string_view name;
  std::string_view summary;  // half a sentence for the list of commands, without a full stop

  // Does all of it, with the process's own standard streams, environment and signals, and returns
  // what the process is to exit with. `arguments` are those after the command's name; --help is one
  // of them.
  //
  // Threads: the main one, with no other beside it, since it takes over signals and standard
  // streams.
  int (*run)(std::span<const std::string> arguments);
};

// All commands but those of hub/main.cc itself, in the order in which help lists them.
//
// Lifetime: of static storage.
std::span<const Command> commands();

}  // namespace vrelo::cli
