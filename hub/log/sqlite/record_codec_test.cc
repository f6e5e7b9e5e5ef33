// SPDX-License-Identifier: Apache-2.0
#include "hub/log/sqlite/record_codec.h"

#include <chrono>
#include <limits>

#include <gtest/gtest.h>

namespace vrelo::log::sqlite {
namespace {

using namespace std::string_view_literals;

std::string encoded(const Event& event) {
  std::string bytes;
  encode_event(event, bytes);
  return bytes;
}

TEST(RecordCodec, writes_an_event_as_its_header_says) {
  EXPECT_EQ(encoded({.topics = {"t"}, .data = "xy"}), "\0\1\1t\0\0\2xy"sv);
  EXPECT_EQ(encoded({.topics = {"a", "bc"},
                     .id = "i",
                     .type = "y",
                     .data = "",
                     .retry = std::chrono::milliseconds(3000),
                     .is_private = true}),
            "\3\xF0\x2E\2\1a\2bc\1i\1y\0"sv);
}

TEST(RecordCodec, gives_back_what_was_written) {
  const Event events[] = {
      {.topics = {"t"}},
      {.topics = {"t", "", "t"}, .id = std::string(128, 'i'), .data = "a\0b\n"},
      {.topics = {std::string(4096, 't')}, .type = "y", .data = std::string(1 << 20, 'd')},
      {.topics = std::vector<std::string>(200, "t"), .is_private = true},
      {.topics = {"t"}, .retry = std::chrono::milliseconds(0)},
      {.topics = {"t"}, .retry = std::chrono::milliseconds(-1)},
      {.topics = {"t"}, .retry = std::chrono::milliseconds::max()},
      {.topics = {"t"}, .retry = std::chrono::milliseconds::min()},
  };
  for (const Event& event : events) {
    EXPECT_EQ(decode_event(encoded(event)), event);
  }
}

TEST(RecordCodec, refuses_bytes_that_it_does_not_write) {
  struct Case {
    std::string_view bytes;
    std::string_view about;
  };
  const Case cases[] = {
      {""sv, "nothing"},
      {"\4\1\1t\0\0\0"sv, "an unknown flag"},
      {"\0\0\0\0\0"sv, "no topic"},
      {"\0\1\1t\0\0\2x"sv, "data that is cut"},
      {"\0\1\1t\0\0"sv, "no data"},
      {"\0\1\1t\0\0\1xy"sv, "a byte behind"},
      {"\0\1\1t\3a\rb\0\0"sv, "an id of two lines"},
      {"\0\1\1t\3a\0b\0\0"sv, "an id with a NUL"},
      {"\0\1\1t\0\3a\nb\0"sv, "a type of two lines"},
      {"\0\1\x81\0t\0\0\0"sv, "a length that is longer than needed"},
      {"\2\x80\x80\x80\x80\x80\x80\x80\x80\x80\2\1\1t\0\0\0"sv, "a number beyond 64 bits"},
      {"\0\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\1t"sv, "more topics than bytes"},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.about);
    EXPECT_EQ(decode_event(c.bytes), std::nullopt);
  }
}

}  // namespace
}  // namespace vrelo::log::sqlite
