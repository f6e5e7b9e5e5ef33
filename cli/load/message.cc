// SPDX-License-Identifier: Apache-2.0
#include "cli/load/message.h"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

namespace vrelo::cli::load {
namespace {

constexpr char kDivider = ':';
constexpr std::string_view kEdge = "@@";
constexpr char kFill = 'x';

// Takes a number and the text behind it off `text`. Returns nullopt where there is none.
template <typename Number>
std::optional<Number> take_number(std::string_view& text, std::string_view behind) {
  Number number = 0;
  const char* const text_end = text.data() + text.size();
  const auto [end, errc] = std::from_chars(text.data(), text_end, number);
  if (errc != std::errc()) {
    return std::nullopt;
  }
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  if (!text.starts_with(behind)) {
    return std::nullopt;
  }
  text.remove_prefix(behind.size());
  return number;
}

}  // namespace

Messages::Messages(std::string_view run) : prefix_(fmt::format("{}{}{}", kEdge, run, kDivider)) {}

std::string Messages::write(const Message& message, std::size_t bytes) const {
  const auto sent = std::chrono::nanoseconds(message.sent.time_since_epoch()).count();
  std::string text = fmt::format("{}{}{}{}{}", prefix_, message.number, kDivider, sent, kEdge);
  text.resize(std::max(bytes, text.size()), kFill);
  return text;
}

std::optional<Message> Messages::find(std::string_view data) const {
  const std::size_t at = data.find(prefix_);
  if (at == std::string_view::npos) {
    return std::nullopt;
  }
  data.remove_prefix(at + prefix_.size());
  const auto number = take_number<std::size_t>(data, std::string_view(&kDivider, 1));
  const auto sent = number ? take_number<std::int64_t>(data, kEdge) : std::nullopt;
  if (!sent) {
    return std::nullopt;
  }
  return Message{.number = *number,
                 .sent = std::chrono::steady_clock::time_point(std::chrono::nanoseconds(*sent))};
}

std::string replaced(std::string_view text, std::string_view placeholder, std::string_view value) {
  std::string result;
  for (std::size_t at = text.find(placeholder); at != std::string_view::npos;
       at = text.find(placeholder)) {
    result.append(text.substr(0, at)).append(value);
    text.remove_prefix(at + placeholder.size());
  }
  return result.append(text);
}

}  // namespace vrelo::cli::load
