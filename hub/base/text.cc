// SPDX-License-Identifier: Apache-2.0
#include "hub/base/text.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace vrelo::base {
namespace {

// General category Cf in Unicode 17: 170 code points, both ends of a range included, in order.
struct Range {
  char32_t first;
  char32_t last;
};
constexpr std::array kFormat{
    Range{0x00AD, 0x00AD},   Range{0x0600, 0x0605},   Range{0x061C, 0x061C},
    Range{0x06DD, 0x06DD},   Range{0x070F, 0x070F},   Range{0x0890, 0x0891},
    Range{0x08E2, 0x08E2},   Range{0x180E, 0x180E},   Range{0x200B, 0x200F},
    Range{0x202A, 0x202E},   Range{0x2060, 0x2064},   Range{0x2066, 0x206F},
    Range{0xFEFF, 0xFEFF},   Range{0xFFF9, 0xFFFB},   Range{0x110BD, 0x110BD},
    Range{0x110CD, 0x110CD}, Range{0x13430, 0x1343F}, Range{0x1BCA0, 0x1BCA3},
    Range{0x1D173, 0x1D17A}, Range{0xE0001, 0xE0001}, Range{0xE0020, 0xE007F},
};

bool is_format(char32_t point) {
  const auto* const range =
      std::lower_bound(kFormat.begin(), kFormat.end(), point,
                       [](const Range& r, char32_t value) { return r.last < value; });
  return range != kFormat.end() && range->first <= point;
}

// Eight bytes at once. Each test gives a word that is not 0 if any of the bytes is what it asks
// for.
constexpr std::uint64_t kEach = 0x0101010101010101;
constexpr std::uint64_t kHighBits = kEach * 0x80;

std::uint64_t load(const char* from) {
  std::uint64_t word = 0;
  std::memcpy(&word, from, sizeof word);
  return word;
}

std::uint64_t beyond_ascii(std::uint64_t word) {
  return word & kHighBits;
}

std::uint64_t below_0x20(std::uint64_t word) {
  return (word - kEach * 0x20) & ~word & kHighBits;
}

std::uint64_t is_0x7f(std::uint64_t word) {
  const std::uint64_t zero_if_so = word ^ (kEach * 0x7f);
  return (zero_if_so - kEach) & ~zero_if_so & kHighBits;
}

bool is_continuation(char byte) {
  return (static_cast<unsigned char>(byte) & 0xC0) == 0x80;
}

// Reads the character that `at` points to and moves `at` behind it. nullopt: it is not UTF-8.
//
// Source: Unicode 17, table 3-7.
std::optional<char32_t> decode(const char*& at, const char* end) {
  const auto lead = static_cast<unsigned char>(*at);
  if (lead < 0x80) {
    ++at;
    return lead;
  }
  const int more = lead >= 0xF0 ? 3 : lead >= 0xE0 ? 2 : 1;
  if (lead < 0xC2 || lead > 0xF4 || end - at <= more) {
    return std::nullopt;
  }
  char32_t point = lead & (0x3FU >> more);
  for (int i = 1; i <= more; ++i) {
    if (!is_continuation(at[i])) {
      return std::nullopt;
    }
    point = (point << 6) | (static_cast<unsigned char>(at[i]) & 0x3FU);
  }
  const bool is_overlong = (more == 2 && point < 0x800) || (more == 3 && point < 0x10000);
  const bool is_surrogate = point >= 0xD800 && point <= 0xDFFF;
  if (is_overlong || is_surrogate || point > 0x10FFFF) {
    return std::nullopt;
  }
  at += more + 1;
  return point;
}

}  // namespace

bool is_utf8(std::string_view text) {
  const char* at = text.data();
  const char* const end = at + text.size();
  while (at != end) {
    if (end - at >= 8 && beyond_ascii(load(at)) == 0) {
      at += 8;
    } else if (!decode(at, end)) {
      return false;
    }
  }
  return true;
}

std::optional<TextFault> find_fault(std::string_view text) {
  const char* at = text.data();
  const char* const end = at + text.size();
  while (at != end) {
    if (end - at >= 8) {
      const std::uint64_t word = load(at);
      if ((beyond_ascii(word) | below_0x20(word) | is_0x7f(word)) == 0) {
        at += 8;
        continue;
      }
    }
    const auto point = decode(at, end);
    if (!point) {
      return TextFault::kNotUtf8;
    }
    if (*point < 0x20 || (*point >= 0x7F && *point <= 0x9F)) {
      return TextFault::kControl;
    }
    if (*point >= 0x80 && is_format(*point)) {
      return TextFault::kFormat;
    }
  }
  return std::nullopt;
}

std::string_view describe(TextFault fault) {
  switch (fault) {
    case TextFault::kNotUtf8:
      return "is not UTF-8";
    case TextFault::kControl:
      return "has a control character";
    case TextFault::kFormat:
      return "has an invisible formatting character";
  }
  return "is not a text";
}

}  // namespace vrelo::base
