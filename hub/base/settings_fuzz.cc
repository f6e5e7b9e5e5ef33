// SPDX-License-Identifier: Apache-2.0
//
// Properties: a file is read or refused with a message, never more; what it set is written as a
// file that sets the same; and a reload from there changes only what may change at run time.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "hub/base/settings.h"
#include "hub/base/settings_table.h"

namespace {

using vrelo::base::Settings;

void require(bool holds) {
  if (!holds) {
    std::abort();
  }
}

// TOML's basic string: what is not printable ASCII is UTF-8 already.
std::string quoted(std::string_view text) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string result = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7F || c == '"' || c == '\\') {
      result += "\\u00";
      result += kDigits[byte >> 4];
      result += kDigits[byte & 0xF];
    } else {
      result += c;
    }
  }
  return result + "\"";
}

std::string write_file(const Settings& settings) {
  std::string file;
  for (const auto& row : vrelo::base::setting_rows()) {
    if (row.places == vrelo::base::SettingPlaces::kAll) {
      file += std::string(row.name) + " = " + quoted(get(row, settings)) + "\n";
    }
  }
  return file;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* input, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(input), size);
  const auto settings = vrelo::base::parse_settings(text, "f", Settings());
  if (!settings) {
    require(settings.error().message.starts_with("f:"));
    return 0;
  }
  const auto again = vrelo::base::parse_settings(write_file(*settings), "f", Settings());
  require(again && *again == *settings);

  const auto change = vrelo::base::change_settings(Settings(), *settings);
  const auto rest = vrelo::base::change_settings(change.settings, *settings);
  require(rest.changed.empty());
  require(rest.needs_restart == change.needs_restart);
  require(rest.settings == change.settings);
  return 0;
}
