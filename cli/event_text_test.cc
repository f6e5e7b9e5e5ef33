// SPDX-License-Identifier: Apache-2.0
#include "cli/event_text.h"

#include <string_view>

#include <gtest/gtest.h>

namespace vrelo::cli {
namespace {

TEST(EventText, is_one_line_where_the_data_is) {
  EXPECT_EQ(event_text({.type = "message", .data = "Hello", .last_event_id = "#A.1"}, {}),
            "#A.1 message Hello\n");
  EXPECT_EQ(event_text({.type = "price", .data = "", .last_event_id = ""}, {}), "- price \n");
}

TEST(EventText, indents_further_lines_of_the_data) {
  EXPECT_EQ(event_text({.type = "message", .data = "a\nb\n", .last_event_id = "1"}, {}),
            "1 message a\n    b\n    \n");
}

TEST(EventText, has_colours_where_they_are_wanted) {
  EXPECT_EQ(event_text({.type = "message", .data = "Hello", .last_event_id = "1"},
                       {.is_terminal = true, .has_colours = true}),
            "\x1B[2m1\x1B[0m \x1B[36mmessage\x1B[0m Hello\n");
}

TEST(EventText, is_harmless_on_a_terminal_and_unchanged_elsewhere) {
  const sse::Event event{.type = "a\x1B", .data = "b\x1B[2J\n\xFF", .last_event_id = "c\u009B"};
  EXPECT_EQ(event_text(event, {.is_terminal = true}), "c\\u{9B} a\\u{1B} b\\u{1B}[2J\n    \\xFF\n");
  EXPECT_EQ(event_text(event, {}), "c\u009B a\x1B b\x1B[2J\n    \xFF\n");
}

TEST(EventJson, is_one_line_whatever_the_event_holds) {
  const struct {
    const char* what;
    sse::Event event;
    std::string_view json;
  } cases[] = {
      {"plain",
       {.type = "message", .data = "Hello", .last_event_id = "#A.1"},
       R"({"id":"#A.1","type":"message","data":"Hello"})"},
      {"no id",
       {.type = "message", .data = "", .last_event_id = ""},
       R"({"id":"","type":"message","data":""})"},
      {"lines and quotes",
       {.type = "message", .data = "{\"a\":\n\"\\\"}", .last_event_id = "1"},
       R"({"id":"1","type":"message","data":"{\"a\":\n\"\\\"}"})"},
      {"control characters",
       {.type = "message", .data = "\x1B\x7F\u009B\u00A0", .last_event_id = "1"},
       "{\"id\":\"1\",\"type\":\"message\",\"data\":\"\\u001b\\u007f\\u009b\u00A0\"}"},
      {"what is not UTF-8",
       {.type = "message", .data = "a\xFF", .last_event_id = "1"},
       "{\"id\":\"1\",\"type\":\"message\",\"data\":\"a\uFFFD\"}"},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.what);
    EXPECT_EQ(event_json(c.event), std::string(c.json) + '\n');
  }
}

}  // namespace
}  // namespace vrelo::cli
