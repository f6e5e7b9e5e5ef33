// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "hub/base/settings.h"

namespace vrelo::base {

// The kinds of settings. Each knows its field, and how far its value may go.
struct BytesKind {
  std::uint64_t Settings::*field;
  std::uint64_t min, max;
};
struct CountKind {
  std::uint64_t Settings::*field;
  std::uint64_t min, max;
};
struct DurationKind {
  std::chrono::milliseconds Settings::*field;
  std::chrono::milliseconds min, max;
};
struct SwitchKind {
  bool Settings::*field;
};

// A list, written with commas; `parse_one` checks an element and returns how it is kept.
struct ListKind {
  std::vector<std::string> Settings::*field;
  std::string_view shape;
  Parsed<std::string> (*parse_one)(std::string_view text);
};

struct OtherKind {
  std::string_view shape;  // as in "ADDRESS:PORT"
  Parsed<Settings> (*parse)(Settings settings, std::string_view text);
  std::string (*format)(const Settings& settings);
};

using SettingKind =
    std::variant<BytesKind, CountKind, DurationKind, SwitchKind, ListKind, OtherKind>;

// Where a setting may stand. A secret would be kNotInFlags: flags are seen by every user of the
// machine.
enum class SettingPlaces { kAll, kNotInFile };

// When a change of the file takes effect.
enum class SettingChange { kReload, kRestart };

// One setting. Its default is what a new Settings has.
struct SettingRow {
  std::string_view name;   // in the file; --the-name as a flag, VRELO_THE_NAME as a variable
  std::string_view group;  // the heading it stands under
  SettingKind kind;
  SettingChange change = SettingChange::kReload;
  SettingPlaces places = SettingPlaces::kAll;
  std::string_view help;  // a line or two, for --help and docs/settings.md
};

// All settings, in the order of the documents.
std::span<const SettingRow> setting_rows();

// Returns the row of `name`, or nullptr.
const SettingRow* find_setting(std::string_view name);

// "heartbeat" → "--heartbeat", "VRELO_HEARTBEAT".
std::string flag_name(const SettingRow& row);
std::string variable_name(const SettingRow& row);

// What stands for the value in --help: "SIZE", "ADDRESS:PORT".
std::string shape(const SettingRow& row);

// What may be set, beyond the shape: "from 1 KiB to 256 MiB"; "": anything of that shape.
std::string range(const SettingRow& row);

// Reads `text` into the row's field. Errors: the half of a sentence that follows what was written.
Parsed<void> set(const SettingRow& row, std::string_view text, Settings& settings);

// Returns the value as it would be written.
std::string get(const SettingRow& row, const Settings& settings);

}  // namespace vrelo::base
