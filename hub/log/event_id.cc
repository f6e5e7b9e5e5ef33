// SPDX-License-Identifier: Apache-2.0
#include "hub/log/event_id.h"

#include <array>
#include <charconv>

namespace vrelo::log {
namespace {

constexpr std::string_view kDigits =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
constexpr std::size_t kEpochDigits = 11;  // 66 bits: the last two are zero

}  // namespace

void append_event_id(Position position, std::string& out) {
  std::array<char, kEventIdBytesMax> text{};
  text[0] = '#';
  for (std::size_t i = 0; i < kEpochDigits; ++i) {
    const std::size_t below = 6 * (kEpochDigits - 1 - i);  // bits that later digits hold
    const std::uint64_t bits = below >= 2 ? position.epoch >> (below - 2) : position.epoch << 2;
    text[1 + i] = kDigits[bits & 63];
  }
  text[1 + kEpochDigits] = '.';
  const auto [end, errc] =
      std::to_chars(text.data() + 2 + kEpochDigits, text.data() + text.size(), position.offset);
  out.append(text.data(), end);
}

std::string event_id(Position position) {
  std::string id;
  append_event_id(position, id);
  return id;
}

std::optional<Position> parse_event_id(std::string_view text) {
  if (text.size() < kEpochDigits + 3 || text[0] != '#' || text[1 + kEpochDigits] != '.') {
    return std::nullopt;
  }
  Position position;
  for (std::size_t i = 0; i < kEpochDigits; ++i) {
    const std::size_t digit = kDigits.find(text[1 + i]);
    if (digit == std::string_view::npos) {
      return std::nullopt;
    }
    const bool last = i + 1 == kEpochDigits;
    position.epoch = last ? (position.epoch << 4) | (digit >> 2) : (position.epoch << 6) | digit;
  }
  const char* const end = text.data() + text.size();
  if (std::from_chars(text.data() + 2 + kEpochDigits, end, position.offset).ptr != end) {
    return std::nullopt;
  }
  // Leading zeros, bits behind the epoch's last, an offset that overflowed: whatever does not come
  // out again is not an id that we gave.
  return event_id(position) == text ? std::optional(position) : std::nullopt;
}

}  // namespace vrelo::log
