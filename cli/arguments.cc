// SPDX-License-Identifier: Apache-2.0
#include "cli/arguments.h"

#include <algorithm>
#include <string_view>

#include <fmt/format.h>

#include "cli/commands.h"
#include "cli/printable.h"
#include "cli/process.h"
#include "hub/base/argument_fault.h"
#include "hub/base/nearest.h"
#include "hub/base/secret_words.h"

namespace vrelo::cli {
namespace {

// Returns what to say of a word that no option and no argument took.
std::string complaint(const CLI::App& app, std::string_view word) {
  if (!word.starts_with('-')) {
    return fmt::format("\"{}\" is one argument too many", printable(word));
  }
  std::vector<std::string> names;
  for (const CLI::Option* const option : app.get_options()) {
    for (const std::string& name : option->get_lnames()) {
      names.push_back("--" + name);
    }
  }
  const std::string_view flag = word.substr(0, word.find('='));
  const std::vector<std::string_view> views(names.begin(), names.end());
  const std::string_view meant = base::nearest(flag, views);
  return fmt::format("there is no option {}{}", printable(flag),
                     meant.empty() ? "; what begins with - and is none stands behind --"
                                   : fmt::format("; did you mean {}?", meant));
}

}  // namespace

std::optional<int> read_arguments(CLI::App& app,
                                  const std::vector<std::string>& arguments,
                                  Output& out,
                                  Output& err) {
  const auto refuse = [&](const std::string& why) {
    say(err, app.get_name(), why + "; see " + app.get_name() + " --help");
    return kUsage;
  };
  app.set_help_flag("-h,--help", "Show this and stop.");
  app.allow_extras();
  std::vector<std::string> reversed(arguments.rbegin(), arguments.rend());
  try {
    app.parse(std::move(reversed));
  } catch (const CLI::CallForHelp&) {
    // "-hello" is data, and no -h with four flags behind it.
    const auto end = std::find(arguments.begin(), arguments.end(), "--");
    const auto glued = std::find_if(arguments.begin(), end, [](std::string_view word) {
      return word.size() > 2 && word.starts_with("-h");
    });
    if (glued != end) {
      return refuse(complaint(app, *glued));
    }
    const boost::system::error_code error = out.write(app.help());
    return error ? output_status(err, app.get_name(), error) : kOk;
  } catch (const CLI::ParseError& error) {
    const auto extras = app.remaining();
    return refuse(extras.empty() ? printable(base::argument_fault(app, error))
                                 : complaint(app, extras.front()));
  }
  std::vector<std::string> extras = app.remaining();
  std::erase(extras, "--");  // what divides options from arguments is neither
  if (!extras.empty()) {
    return refuse(complaint(app, extras.front()));
  }
  return std::nullopt;
}

void say(Output& err, const std::string& command, const std::string& message) {
  // There is nobody to tell of an error.
  err.write(command + ": " + base::without_secrets(message) + '\n');
}

}  // namespace vrelo::cli
