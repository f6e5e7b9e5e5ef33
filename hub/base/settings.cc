// SPDX-License-Identifier: Apache-2.0
#include "hub/base/settings.h"

#include <algorithm>
#include <cassert>
#include <filesystem>
#include <fstream>
#include <map>

#include <fmt/format.h>
#include <toml++/toml.h>
#include <CLI/CLI.hpp>

#include "hub/base/argument_fault.h"
#include "hub/base/issuer_settings.h"
#include "hub/base/nearest.h"
#include "hub/base/settings_check.h"
#include "hub/base/settings_table.h"

namespace vrelo::base {
namespace {

constexpr std::uintmax_t kFileBytesMax = 1 << 20;
constexpr std::size_t kFlagColumns = 26;  // of help; beside them stands what each flag does
constexpr std::size_t kHelpColumns = 100;

// What one source says: a text for each row that it names, and where that stands.
struct Given {
  std::string text;
  std::string where;
};
using GivenMap = std::map<const SettingRow*, Given>;

// The beginning of a message about an unknown name.
Fault unknown(std::string_view where, std::string_view what, std::string_view suggestion) {
  return {suggestion.empty() ? fmt::format("{}: {}", where, what)
                             : fmt::format("{}: {}; did you mean {}?", where, what, suggestion)};
}

// Returns the name among those of all rows, as `name_of` writes them, that is nearest to `word`.
template <typename NameOf>
std::string nearest_setting(std::string_view word, NameOf name_of) {
  std::vector<std::string> names;
  for (const SettingRow& row : setting_rows()) {
    names.push_back(name_of(row));
  }
  const std::vector<std::string_view> views(names.begin(), names.end());
  return std::string(nearest(word, views));
}

// Returns `text` in lines of at most `columns` characters, as far as its words allow.
std::string wrapped(std::string_view text, std::size_t columns) {
  std::string lines;
  std::size_t used = 0;
  while (!text.empty()) {
    const std::string_view word = text.substr(0, text.find(' '));
    const bool fits = used + 1 + word.size() <= columns;
    lines += lines.empty() ? "" : fits ? " " : "\n";
    used = (fits ? used + 1 : 0) + word.size();
    lines += word;
    text.remove_prefix(std::min(word.size() + 1, text.size()));
  }
  return lines;
}

// The command line, as CLI11 sees it. All values are texts: set() reads them, as those of other
// sources.
class Flags {
 public:
  Flags() {
    app_.name("vrelo serve");
    app_.set_help_flag("-h,--help", "Show this and stop.");
    app_.get_formatter()->column_width(kFlagColumns);
    app_.allow_extras();
    for (const SettingRow& row : setting_rows()) {
      add(row);
    }
  }

  Parsed<GivenMap> parse(const std::vector<std::string>& flags) {
    std::vector<std::string> reversed(flags.rbegin(), flags.rend());
    try {
      app_.parse(std::move(reversed));
    } catch (const CLI::ParseError& error) {
      return Fault{argument_fault(app_, error)};
    }
    const std::vector<std::string> unknown_flags = app_.remaining();
    if (!unknown_flags.empty()) {
      const std::string word = unknown_flags[0].substr(0, unknown_flags[0].find('='));
      const std::string meant =
          parse_endpoint(word) ? "--listen " + word : nearest_setting(word, flag_name);
      Fault fault = unknown(
          word, word.starts_with('-') ? "there is no such flag" : "not expected here", meant);
      fault.message += meant.empty() ? "; see vrelo serve --help" : "";
      return fault;
    }
    GivenMap given;
    for (const auto& [row, value] : values_) {
      if (value.option->count() > 0) {
        given[row] = {value.text, flag_name(*row)};
      }
    }
    return given;
  }

  std::string help() const {
    return "vrelo serve: takes events over HTTP, keeps them, and streams them to their "
           "readers.\n\n" +
           app_.help() +
           "\nEach setting may also stand in the environment (--history-age as VRELO_HISTORY_AGE) "
           "or in "
           "the file\nthat --config names (history_age = \"24h\"). Flags go before the "
           "environment, that "
           "before the file.\nSIZE: bytes, or with kB, MB, GB, KiB, MiB, GiB. DURATION: seconds, "
           "or with "
           "ms, s, min, h, d.\n";
  }

 private:
  struct Value {
    std::string text;
    CLI::Option* option = nullptr;
  };

  void add(const SettingRow& row) {
    Value& value = values_[&row];
    const std::string help = wrapped(row.help, kHelpColumns - kFlagColumns);
    if (std::holds_alternative<SwitchKind>(row.kind)) {
      value.option = app_.add_flag(flag_name(row), value.text, help);
    } else {
      value.option = app_.add_option(flag_name(row), value.text, help);
      const std::string standard = get(row, Settings());
      value.option->type_name(shape(row) + (standard.empty() ? "" : " [" + standard + "]"));
    }
    if (std::holds_alternative<ListKind>(row.kind)) {
      value.option->join(',');
    }
    value.option->group(std::string(row.group));
  }

  CLI::App app_;
  std::map<const SettingRow*, Value> values_;
};

Parsed<GivenMap> read_variables(const SettingSources& sources) {
  constexpr std::string_view kPrefix = "VRELO_";
  GivenMap given;
  for (const auto& [name, text] : sources.variables) {
    if (!name.starts_with(kPrefix)) {
      continue;
    }
    const auto rows = setting_rows();
    const auto row = std::find_if(rows.begin(), rows.end(), [&name = name](const SettingRow& r) {
      return variable_name(r) == name;
    });
    if (row == rows.end()) {
      return unknown(name, "there is no such setting", nearest_setting(name, variable_name));
    }
    given[&*row] = {text, name};
  }
  return given;
}

// Returns a value of the file as it would be written in a flag.
Parsed<std::string> text_of(const toml::node& node, bool list_allowed) {
  if (const auto* text = node.as_string()) {
    return parsed(text->get());
  }
  if (const auto* number = node.as_integer()) {
    return parsed(std::to_string(number->get()));
  }
  if (const auto* value = node.as_boolean()) {
    return parsed(value->get() ? "true" : "false");
  }
  const toml::array* const array = node.as_array();
  if (array == nullptr || !list_allowed) {
    return Fault{list_allowed ? "is not a list of texts"
                              : "is not a text, a whole number, true or false"};
  }
  std::string joined;
  for (const toml::node& element : *array) {
    const auto* const text = element.as_string();
    if (text == nullptr || text->get().empty() || text->get().find(',') != std::string::npos) {
      return Fault{"is not a list of texts without commas"};
    }
    joined += (joined.empty() ? "" : ",") + text->get();
  }
  return parsed(std::move(joined));
}

Parsed<GivenMap> read_table(const toml::table& table, std::string_view file) {
  GivenMap given;
  for (const auto& [key, node] : table) {
    if (key.str() == kIssuers) {
      continue;
    }
    const std::string where =
        fmt::format("{}:{}: {}", file, node.source().begin.line, std::string_view(key.str()));
    const SettingRow* const row = find_setting(key.str());
    if (row == nullptr) {
      return unknown(
          where, "there is no such setting",
          nearest_setting(key.str(), [](const SettingRow& r) { return std::string(r.name); }));
    }
    if (row->places == SettingPlaces::kNotInFile) {
      return Fault{where + ": may not stand in the file"};
    }
    auto text = text_of(node, std::holds_alternative<ListKind>(row->kind));
    if (!text) {
      return Fault{where + ": " + text.error().message};
    }
    given[row] = {*std::move(text), where};
  }
  return given;
}

Parsed<std::string> read_file(const std::string& path) {
  std::error_code error;
  if (!std::filesystem::is_regular_file(path, error)) {
    return Fault{path + (std::filesystem::exists(path, error) ? ": is not a file"
                                                              : ": there is no such file")};
  }
  std::ifstream file(path, std::ios::binary);
  std::string text;
  text.resize(kFileBytesMax + 1);
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (file.bad() || !file.is_open()) {
    return Fault{path + ": cannot be read"};
  }
  text.resize(static_cast<std::size_t>(file.gcount()));
  if (text.size() > kFileBytesMax) {
    return Fault{path + ": is larger than " + format_bytes(kFileBytesMax)};
  }
  return parsed(std::move(text));
}

// Returns whether `description`, the parser's, is about a value that begins like none of TOML's:
// mostly a text without quotation marks.
bool is_of_bare_value(std::string_view description) {
  constexpr std::string_view kParsing = "Error while parsing ";
  constexpr std::string_view kScopes[] = {
      "value", "decimal integer", "floating-point", "boolean", "date", "time", "date-time"};
  if (!description.starts_with(kParsing)) {
    return false;
  }
  description.remove_prefix(kParsing.size());
  const std::string_view scope = description.substr(0, description.find(':'));
  return std::find(std::begin(kScopes), std::end(kScopes), scope) != std::end(kScopes) &&
         (description.find(", saw '") != std::string_view::npos ||
          description.find("could not determine") != std::string_view::npos);
}

// Adds what `given` says to `settings`, unless it contradicts the kind of a setting.
Parsed<void> take(const GivenMap& given, Settings& settings) {
  for (const auto& [row, value] : given) {
    const auto done = set(*row, value.text, settings);
    if (!done) {
      return Fault{fmt::format("{}: \"{}\" {}", value.where, value.text, done.error().message)};
    }
  }
  return {};
}

}  // namespace

Parsed<Settings> parse_settings(std::string_view toml, std::string_view file, Settings settings) {
  GivenMap given;
  try {
    const toml::table table = toml::parse(toml, file);
    auto read = read_table(table, file);
    if (!read) {
      return read.error();
    }
    given = *std::move(read);
    if (const toml::node* const node = table.get(kIssuers)) {
      auto issuers = read_issuers(*node, file);
      if (!issuers) {
        return issuers.error();
      }
      settings.issuers = *std::move(issuers);
    }
  } catch (const toml::parse_error& error) {
    return Fault{fmt::format("{}:{}: {}{}", file, error.source().begin.line, error.description(),
                             is_of_bare_value(error.description())
                                 ? "; texts stand in quotation marks, durations and sizes too"
                                 : "")};
  }
  const auto applied = take(given, settings);
  if (!applied) {
    return applied.error();
  }
  return settings;
}

Parsed<Settings> load_settings(const SettingSources& sources) {
  const auto flags = Flags().parse(sources.flags);
  if (!flags) {
    return flags.error();
  }
  const auto variables = read_variables(sources);
  if (!variables) {
    return variables.error();
  }

  Settings settings;
  const SettingRow* const config = find_setting("config");
  for (const GivenMap& given : {*variables, *flags}) {
    const auto found = given.find(config);
    settings.config = found == given.end() ? settings.config : found->second.text;
  }
  if (!settings.config.empty()) {
    const auto text = read_file(settings.config);
    if (!text) {
      const auto& source = flags->contains(config) ? *flags : *variables;
      return Fault{source.at(config).where + ": " + text.error().message};
    }
    auto from_file = parse_settings(*text, settings.config, settings);
    if (!from_file) {
      return from_file;
    }
    settings = *std::move(from_file);
  }

  for (const GivenMap& given : {*variables, *flags}) {
    const auto applied = take(given, settings);
    if (!applied) {
      return applied.error();
    }
  }
  const auto checked = check_settings(settings);
  if (!checked) {
    return checked.error();
  }
  return settings;
}

std::vector<std::pair<std::string, std::string>> read_environment(const char* const* environment) {
  std::vector<std::pair<std::string, std::string>> variables;
  for (; *environment != nullptr; ++environment) {
    const std::string_view entry(*environment);
    const std::size_t equals = std::min(entry.find('='), entry.size());
    variables.emplace_back(entry.substr(0, equals),
                           entry.substr(std::min(equals + 1, entry.size())));
  }
  return variables;
}

bool asks_for_help(std::span<const std::string> flags) {
  return std::any_of(flags.begin(), flags.end(),
                     [](const std::string& flag) { return flag == "--help" || flag == "-h"; });
}

std::string settings_help() {
  return Flags().help();
}

SettingsChange change_settings(const Settings& running, Settings wanted) {
  SettingsChange change;
  for (const SettingRow& row : setting_rows()) {
    const std::string was = get(row, running);
    const std::string is = get(row, wanted);
    if (was == is) {
      continue;
    }
    auto& lines = row.change == SettingChange::kReload ? change.changed : change.needs_restart;
    lines.push_back(fmt::format("{} = {} (was {})", row.name, is, was));
    if (row.change == SettingChange::kRestart) {
      [[maybe_unused]] const auto put_back = set(row, was, wanted);
      assert(put_back);
    }
  }
  if (running.issuers != wanted.issuers) {
    change.changed.emplace_back(kIssuers);
  }
  change.settings = std::move(wanted);
  return change;
}

}  // namespace vrelo::base
