// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "cli/event_text.h"
#include "cli/output.h"
#include "sse/client/connection.h"
#include "sse/client/task.h"

namespace vrelo::cli {

// What a command has of its process; in tests, something else instead.
//
// Lifetime: must outlive the command.
struct Process {
  const sse::client::Network& network;
  int in_fd;
  Output& out;
  Output& err;
  Look out_look;
  std::function<std::string()> make_id;  // each time another one that nobody else has
  std::uint32_t seed;                    // for what happens by chance
};

// A command on a loop: returns the status to exit with.
using CommandTask = sse::client::Task<int> (*)(Process& process,
                                               std::vector<std::string> arguments);

// Runs a command with the process's own streams, signals and chance, up to its end or to SIGINT or
// SIGTERM. This is what Command::run does.
int run_in_process(CommandTask command, std::span<const std::string> arguments);

// The id of an event that was made here: "urn:uuid:" and a UUID of 122 random bits.
//
// Source: RFC 9562, version 4.
std::string random_id();

// The status of a command whose output broke: a reader that is gone ends it as SIGPIPE would.
int output_status(Output& err, const std::string& command, const boost::system::error_code& error);

}  // namespace vrelo::cli
