// SPDX-License-Identifier: Apache-2.0
#include "cli/publication.h"

#include <string_view>

#include <gtest/gtest.h>

namespace vrelo::cli {
namespace {

TEST(Publication, is_read_from_a_line_of_json) {
  const struct {
    const char* what;
    std::string_view line;
    Publication publication;
  } cases[] = {
      {"data alone", R"({"data":"Hello"})", {.topics = {"news"}, .data = "Hello"}},
      {"nothing", "{}", {.topics = {"news"}}},
      {"a topic of its own", R"({"topic":"chat"})", {.topics = {"chat"}}},
      {"several topics", R"({"topic":["a","b"]})", {.topics = {"a", "b"}}},
      {"all members",
       R"({"topic":"a","data":"b\nc","id":"d","type":"e","retry":2000,"private":true})",
       {.topics = {"a"},
        .data = "b\nc",
        .id = "d",
        .type = "e",
        .retry_ms = 2000,
        .is_private = true}},
      {"an object as data",
       R"( {"data": {"a": [1, null, "\u00fc"]} } )",
       {.topics = {"news"}, .data = "{\"a\":[1,null,\"\u00FC\"]}"}},
      {"a number as data", R"({"data":17})", {.topics = {"news"}, .data = "17"}},
      {"a line that ends with CR", "{\"data\":\"a\"}\r", {.topics = {"news"}, .data = "a"}},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.what);
    const auto publication = parse_publication(c.line, {.topics = {"news"}});
    ASSERT_TRUE(publication.has_value()) << publication.error().message;
    EXPECT_EQ(*publication, c.publication);
  }
}

TEST(Publication, is_refused_with_the_name_of_what_is_wrong) {
  const struct {
    std::string_view line;
    std::string_view message;
  } cases[] = {
      {"", "this is not JSON: incomplete JSON"},
      {"Hello", "this is not JSON: syntax error"},
      {"[]", "this is not a JSON object"},
      {R"({"topic":"a"} x)", "this is not JSON: extra data"},
      {R"({"topic":"a","dat":"x"})", "\"dat\" is no member of an event; did you mean data?"},
      {R"({"topic":"a","\u001b[2J":1})", "\"\\u{1B}[2J\" is no member of an event"},
      {R"({"topic":1})", "topic is neither a text nor a list of texts"},
      {R"({"topic":[]})", "topic is neither a text nor a list of texts"},
      {R"({"topic":["a",1]})", "topic is neither a text nor a list of texts"},
      {R"({"topic":"a","id":1})", "id is not a text"},
      {R"({"topic":"a","type":null})", "type is not a text"},
      {R"({"topic":"a","retry":"1"})", "retry is not a number of milliseconds"},
      {R"({"topic":"a","retry":-1})", "retry is not a number of milliseconds"},
      {R"({"topic":"a","retry":1.5})", "retry is not a number of milliseconds"},
      {R"({"topic":"a","private":"on"})", "private is neither true nor false"},
      {R"({"data":"a"})", "there is no topic, neither here nor as an argument"},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.line);
    const auto publication = parse_publication(c.line, {});
    ASSERT_FALSE(publication.has_value());
    EXPECT_EQ(publication.error().message, c.message);
  }
}

TEST(Publication, is_written_as_a_form) {
  EXPECT_EQ(form_of({.topics = {"a b", "/c?d=e&f"}, .data = "\u00FC\n+%"}),
            "topic=a%20b&topic=%2Fc%3Fd%3De%26f&data=%C3%BC%0A%2B%25");
  EXPECT_EQ(form_of({.topics = {"a"},
                     .data = "",
                     .id = "urn:uuid:1",
                     .type = "x",
                     .retry_ms = 1,
                     .is_private = true}),
            "topic=a&data=&id=urn%3Auuid%3A1&type=x&retry=1&private=on");
}

}  // namespace
}  // namespace vrelo::cli
