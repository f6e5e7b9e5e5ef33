// SPDX-License-Identifier: Apache-2.0
#include "cli/event_text.h"

#include <cstddef>
#include <string_view>

#include <fmt/format.h>
#include <boost/json/serialize.hpp>
#include <boost/json/string.hpp>

#include "cli/printable.h"

namespace vrelo::cli {
namespace {

constexpr std::string_view kDim = "\x1B[2m";
constexpr std::string_view kCyan = "\x1B[36m";
constexpr std::string_view kPlain = "\x1B[0m";

std::string shown(std::string_view text, Look look) {
  return look.is_terminal ? printable(text) : std::string(text);
}

std::string coloured(std::string_view colour, std::string text, Look look) {
  if (!look.has_colours) {
    return text;
  }
  return std::string(colour).append(text).append(kPlain);
}

// A JSON string, with DEL and U+0080 to U+009F as escapes: JSON lets them stand, terminals obey
// them.
std::string json_string(std::string_view text) {
  const std::string read = as_utf8(text);
  const std::string quoted = boost::json::serialize(
      boost::json::string(boost::json::string_view(read.data(), read.size())));
  std::string escaped;
  for (std::size_t i = 0; i < quoted.size(); ++i) {
    const auto byte = static_cast<unsigned char>(quoted[i]);
    const auto next = static_cast<unsigned char>(i + 1 < quoted.size() ? quoted[i + 1] : '"');
    if (byte == 0x7F) {
      escaped += "\\u007f";
    } else if (byte == 0xC2 && next <= 0x9F) {
      escaped += fmt::format("\\u00{:02x}", next);
      ++i;
    } else {
      escaped += quoted[i];
    }
  }
  return escaped;
}

}  // namespace

std::string event_text(const sse::Event& event, Look look) {
  std::string text =
      coloured(kDim, event.last_event_id.empty() ? "-" : shown(event.last_event_id, look), look);
  text += ' ' + coloured(kCyan, shown(event.type, look), look) + ' ';
  std::string_view rest = event.data;
  for (std::size_t end = rest.find('\n'); end != std::string_view::npos; end = rest.find('\n')) {
    text += shown(rest.substr(0, end), look) + "\n    ";
    rest.remove_prefix(end + 1);
  }
  return text + shown(rest, look) + '\n';
}

std::string event_json(const sse::Event& event) {
  return "{\"id\":" + json_string(event.last_event_id) + ",\"type\":" + json_string(event.type) +
         ",\"data\":" + json_string(event.data) + "}\n";
}

}  // namespace vrelo::cli
