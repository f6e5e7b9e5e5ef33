// SPDX-License-Identifier: Apache-2.0
//
// Properties: no event moves a terminal's cursor but by ending a line; every event's JSON is one
// line that holds all of it.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include <boost/json/parse.hpp>

#include "cli/event_text.h"
#include "cli/printable.h"
#include "hub/base/text.h"

namespace vrelo::cli {
namespace {

void require(bool holds) {
  if (!holds) {
    std::abort();
  }
}

bool is_control(char byte) {
  return (static_cast<unsigned char>(byte) < 0x20 && byte != '\t') || byte == 0x7F;
}

std::string_view text_of(const boost::json::value& value) {
  const auto& text = value.as_string();
  return {text.data(), text.size()};
}

void check(std::string_view type, std::string_view data) {
  const sse::Event event{.type = type, .data = data, .last_event_id = type};

  const std::string text = event_text(event, {.is_terminal = true});
  require(base::is_utf8(text) && text.ends_with('\n'));
  require(std::count(text.begin(), text.end(), '\n') ==
          std::count(data.begin(), data.end(), '\n') + 1);
  require(std::none_of(text.begin(), text.end(),
                       [](char byte) { return is_control(byte) && byte != '\n'; }));
  require(text.find("\u009B") == std::string::npos && text.find("\u202E") == std::string::npos);

  std::string json = event_json(event);
  require(json.ends_with('\n'));
  json.pop_back();
  require(base::is_utf8(json) && std::none_of(json.begin(), json.end(), is_control));
  require(json.find("\u009B") == std::string::npos);
  const auto value = boost::json::parse(json);
  require(text_of(value.at("id")) == as_utf8(type) && text_of(value.at("type")) == as_utf8(type));
  require(text_of(value.at("data")) == as_utf8(data));
}

}  // namespace
}  // namespace vrelo::cli

// The first byte says how many of those after it are the event's type and id; the rest is its data.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* input, std::size_t size) {
  if (size > 0) {
    // std::uint8_t and char may alias: both are views of bytes.
    const std::string_view bytes(reinterpret_cast<const char*>(input) + 1, size - 1);
    const std::size_t type_bytes = std::min(std::size_t{input[0]}, bytes.size());
    vrelo::cli::check(bytes.substr(0, type_bytes), bytes.substr(type_bytes));
  }
  return 0;
}
