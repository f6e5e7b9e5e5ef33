// SPDX-License-Identifier: Apache-2.0
#include "cli/commands.h"

#include "cli/bench.h"
#include "cli/explain.h"
#include "cli/init.h"
#include "cli/process.h"
#include "cli/pub.h"
#include "cli/sub.h"
#include "cli/ticket.h"
#include "cli/token.h"

namespace vrelo::cli {
namespace {

constexpr Command kCommands[] = {
    {.name = "init",
     .summary = "write settings and a key, for a hub that wants tokens",
     .run = init},
    {.name = "sub",
     .summary = "print the events of a stream as they come",
     .run = [](std::span<const std::string> arguments) { return run_in_process(sub, arguments); }},
    {.name = "pub",
     .summary = "publish events",
     .run = [](std::span<const std::string> arguments) { return run_in_process(pub, arguments); }},
    {.name = "token", .summary = "make a token, or say what one holds", .run = token},
    {.name = "ticket",
     .summary = "get a ticket, for who cannot show a token",
     .run =
         [](std::span<const std::string> arguments) { return run_in_process(ticket, arguments); }},
    {.name = "explain",
     .summary = "ask a hub why it would allow or refuse a request",
     .run =
         [](std::span<const std::string> arguments) { return run_in_process(explain, arguments); }},
    {.name = "bench",
     .summary = "load a server of event streams, and measure it",
     .run = [](std::span<const std::string> arguments) { return bench(arguments); }},
};

}  // namespace

std::span<const Command> commands() {
  return kCommands;
}

}  // namespace vrelo::cli
