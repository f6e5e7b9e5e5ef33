// SPDX-License-Identifier: Apache-2.0
#include "hub/base/text.h"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include <gtest/gtest.h>

namespace vrelo::base {
namespace {

using std::string_view_literals::operator""sv;

std::string encode(char32_t point) {
  const auto byte = [](char32_t value) { return static_cast<char>(value); };
  if (point < 0x80) {
    return {byte(point)};
  }
  if (point < 0x800) {
    return {byte(0xC0 | (point >> 6)), byte(0x80 | (point & 0x3F))};
  }
  if (point < 0x10000) {
    return {byte(0xE0 | (point >> 12)), byte(0x80 | ((point >> 6) & 0x3F)),
            byte(0x80 | (point & 0x3F))};
  }
  return {byte(0xF0 | (point >> 18)), byte(0x80 | ((point >> 12) & 0x3F)),
          byte(0x80 | ((point >> 6) & 0x3F)), byte(0x80 | (point & 0x3F))};
}

TEST(Text, is_utf8_or_not) {
  const struct {
    const char* what;
    std::string_view text;
    bool is_utf8;
  } cases[] = {
      {"empty", "", true},
      {"ASCII with NUL and DEL", "a\0b\x7f"sv, true},
      {"two bytes", "\xC2\x80", true},
      {"three bytes", "\xE2\x82\xAC", true},
      {"four bytes", "\xF0\x9F\x98\x80", true},
      {"the last code point", "\xF4\x8F\xBF\xBF", true},
      {"after eight ASCII bytes", "01234567\xC3\xA9", true},
      {"a lone continuation", "\x80", false},
      {"FF", "\xFF", false},
      {"FF after eight ASCII bytes", "01234567\xFF", false},
      {"a cut pair", "\xC3", false},
      {"a cut triple", "\xE2\x82", false},
      {"a pair without its second", "\xC3(", false},
      {"overlong slash", "\xC0\xAF", false},
      {"overlong in three", "\xE0\x9F\xBF", false},
      {"overlong in four", "\xF0\x8F\xBF\xBF", false},
      {"a surrogate", "\xED\xA0\x80", false},
      {"above the last", "\xF4\x90\x80\x80", false},
      {"five bytes", "\xF8\x88\x80\x80\x80", false},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.what);
    EXPECT_EQ(is_utf8(c.text), c.is_utf8);
    EXPECT_EQ(find_fault(c.text) == TextFault::kNotUtf8, !c.is_utf8);
  }
}

TEST(Text, has_a_fault_at_each_control_and_format_character_and_no_other) {
  int controls = 0;
  int formats = 0;
  for (char32_t point = 0; point <= 0x10FFFF; ++point) {
    if (point >= 0xD800 && point <= 0xDFFF) {
      continue;
    }
    const auto fault = find_fault(encode(point));
    ASSERT_NE(fault, TextFault::kNotUtf8) << static_cast<unsigned>(point);
    controls += fault == TextFault::kControl ? 1 : 0;
    formats += fault == TextFault::kFormat ? 1 : 0;
  }
  EXPECT_EQ(controls, 32 + 1 + 32);
  EXPECT_EQ(formats, 170);
}

TEST(Text, has_its_fault_wherever_it_stands) {
  const struct {
    const char* what;
    std::string_view part;
    TextFault fault;
  } cases[] = {
      {"NUL", "\0"sv, TextFault::kControl},
      {"LF", "\n", TextFault::kControl},
      {"the last below space", "\x1F", TextFault::kControl},
      {"DEL", "\x7F", TextFault::kControl},
      {"U+0085", "\xC2\x85", TextFault::kControl},
      {"U+009F", "\xC2\x9F", TextFault::kControl},
      {"soft hyphen", "\xC2\xAD", TextFault::kFormat},
      {"zero width space", "\xE2\x80\x8B", TextFault::kFormat},
      {"zero width joiner", "\xE2\x80\x8D", TextFault::kFormat},
      {"byte order mark", "\xEF\xBB\xBF", TextFault::kFormat},
      {"a tag", "\xF3\xA0\x81\xBF", TextFault::kFormat},
      {"FF", "\xFF", TextFault::kNotUtf8},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.what);
    for (std::size_t before = 0; before < 20; ++before) {
      const std::string text =
          std::string(before, 'a') + std::string(c.part) + std::string(20 - before, 'z');
      EXPECT_EQ(find_fault(text), c.fault) << before;
    }
  }
}

TEST(Text, without_fault_may_hold_spaces_and_any_script) {
  for (const std::string_view text :
       {""sv, "a b \xC3\xA9"sv, "\xC2\xA0"sv, "\xE6\x97\xA5\xE6\x9C\xAC"sv, "~~~~~~~~ !~"sv,
        "\xF0\x9F\x98\x80"sv}) {
    SCOPED_TRACE(text);
    EXPECT_EQ(find_fault(text), std::nullopt);
  }
}

}  // namespace
}  // namespace vrelo::base
