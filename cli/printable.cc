// SPDX-License-Identifier: Apache-2.0
#include "cli/printable.h"

#include <algorithm>
#include <cstddef>

#include <fmt/format.h>

#include "hub/base/text.h"

namespace vrelo::cli {
namespace {

constexpr std::size_t kCharacterBytesMax = 4;

// Returns how many bytes the character has that `text` begins with; 0: it is none.
std::size_t character_bytes(std::string_view text) {
  for (std::size_t bytes = 1; bytes <= std::min(kCharacterBytesMax, text.size()); ++bytes) {
    if (base::is_utf8(text.substr(0, bytes))) {
      return bytes;
    }
  }
  return 0;
}

// `character` is one, in UTF-8.
char32_t code_point(std::string_view character) {
  constexpr unsigned kFirstByteMask[] = {0x7F, 0x1F, 0x0F, 0x07};
  char32_t point = static_cast<unsigned char>(character[0]) & kFirstByteMask[character.size() - 1];
  for (const char byte : character.substr(1)) {
    point = (point << 6) | (static_cast<unsigned char>(byte) & 0x3F);
  }
  return point;
}

// Control characters, but for the tab, and those that turn the direction of writing. The joiners
// that emoji and some scripts need are left alone.
bool is_harmful(char32_t point) {
  return (point < 0x20 && point != '\t') || (point >= 0x7F && point <= 0x9F) || point == 0x061C ||
         point == 0x200E || point == 0x200F || (point >= 0x2028 && point <= 0x202E) ||
         (point >= 0x2066 && point <= 0x2069);
}

// Calls `on_character` with each character, and `on_byte` with each byte that is part of none.
template <typename OnCharacter, typename OnByte>
void walk(std::string_view text, OnCharacter on_character, OnByte on_byte) {
  while (!text.empty()) {
    const std::size_t bytes = character_bytes(text);
    if (bytes == 0) {
      on_byte(static_cast<unsigned char>(text[0]));
      text.remove_prefix(1);
    } else {
      on_character(text.substr(0, bytes));
      text.remove_prefix(bytes);
    }
  }
}

}  // namespace

std::string printable(std::string_view text) {
  std::string shown;
  walk(
      text,
      [&shown](std::string_view character) {
        const char32_t point = code_point(character);
        if (is_harmful(point)) {
          shown += fmt::format("\\u{{{:02X}}}", static_cast<unsigned>(point));
        } else {
          shown += character;
        }
      },
      [&shown](unsigned char byte) { shown += fmt::format("\\x{:02X}", byte); });
  return shown;
}

std::string as_utf8(std::string_view text) {
  if (base::is_utf8(text)) {
    return std::string(text);
  }
  std::string read;
  walk(
      text, [&read](std::string_view character) { read += character; },
      [&read](unsigned char) { read += "\uFFFD"; });
  return read;
}

}  // namespace vrelo::cli
