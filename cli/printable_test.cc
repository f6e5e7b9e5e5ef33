// SPDX-License-Identifier: Apache-2.0
#include "cli/printable.h"

#include <string_view>

#include <gtest/gtest.h>

namespace vrelo::cli {
namespace {

TEST(Printable, escapes_what_a_terminal_would_obey) {
  const struct {
    const char* what;
    std::string_view text;
    std::string_view shown;
  } cases[] = {
      {"plain text", "Hello, world", "Hello, world"},
      {"beyond ASCII", "Gr\u00FC\u00DFe \u65E5\u672C \U0001F600",
       "Gr\u00FC\u00DFe \u65E5\u672C \U0001F600"},
      {"a tab", "a\tb", "a\tb"},
      {"an escape sequence", "\x1B[2Ja", "\\u{1B}[2Ja"},
      {"line ends", "a\r\nb", "a\\u{0D}\\u{0A}b"},
      {"NUL", {"a\0b", 3}, "a\\u{00}b"},
      {"DEL", "\x7F", "\\u{7F}"},
      {"the one-character form of ESC [", "\u009B2J", "\\u{9B}2J"},
      {"an override of the direction", "a\u202Eb\u2066", "a\\u{202E}b\\u{2066}"},
      {"joiners of emoji", "\U0001F469\u200D\U0001F680", "\U0001F469\u200D\U0001F680"},
      {"a byte that is no text", "a\xFFz", "a\\xFFz"},
      {"a character cut off", "a\xE2\x82", "a\\xE2\\x82"},
      {"a surrogate", "\xED\xA0\x80", "\\xED\\xA0\\x80"},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.what);
    EXPECT_EQ(printable(c.text), c.shown);
  }
}

TEST(AsUtf8, replaces_what_is_not_utf_8) {
  EXPECT_EQ(as_utf8("Gr\u00FC\u00DFe\n"), "Gr\u00FC\u00DFe\n");
  EXPECT_EQ(as_utf8("a\xFF\xFEz"), "a\uFFFD\uFFFDz");
  EXPECT_EQ(as_utf8("a\xE2\x82z"), "a\uFFFD\uFFFDz");
  EXPECT_EQ(as_utf8("\xE2"), "\uFFFD");
}

}  // namespace
}  // namespace vrelo::cli
