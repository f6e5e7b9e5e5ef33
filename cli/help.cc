// SPDX-License-Identifier: Apache-2.0
#include "cli/help.h"

#include <vector>

#include <fmt/format.h>

#include "cli/printable.h"
#include "hub/base/nearest.h"

namespace vrelo::cli {

std::string help(std::span<const Command> commands) {
  std::string text =
      "vrelo: a hub for server-sent events\n\nUsage: vrelo COMMAND [OPTIONS]\n\nCommands:\n";
  for (const Command& command : commands) {
    text += fmt::format("  {:<10}{}\n", command.name, command.summary);
  }
  return text +
         "\nvrelo COMMAND --help tells more, vrelo --version which version this is.\n\n"
         "The first event:\n"
         "  vrelo serve\n"
         "  vrelo sub 'http://127.0.0.1:3000/.well-known/mercure?match=news'\n"
         "  vrelo pub http://127.0.0.1:3000 news 'Hello, world'\n";
}

std::string unknown_command(std::string_view word, std::span<const Command> commands) {
  std::vector<std::string_view> names{"help", "--help", "--version"};
  for (const Command& known : commands) {
    names.push_back(known.name);
  }
  const std::string_view meant = base::nearest(word, names);
  return fmt::format("there is no {} \"{}\"{}; see vrelo --help",
                     word.starts_with('-') ? "option" : "command", printable(word),
                     meant.empty() ? "" : fmt::format(": did you mean {}?", meant));
}

}  // namespace vrelo::cli
