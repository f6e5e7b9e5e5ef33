// SPDX-License-Identifier: Apache-2.0
#include "sse/client/chunks.h"

#include <string>
#include <string_view>

#include <gtest/gtest.h>

namespace vrelo::sse::client {
namespace {

struct Taken {
  std::string body;
  std::size_t bytes = 0;
  bool is_done = false;
  bool failed = false;
};

Taken take_in_pieces(std::string_view stream, std::size_t piece_bytes) {
  Chunks chunks;
  Taken taken;
  while (taken.bytes < stream.size() && !taken.is_done) {
    const auto result = chunks.feed(stream.substr(taken.bytes, piece_bytes), taken.body);
    if (!result) {
      taken.failed = true;
      return taken;
    }
    taken.bytes += *result;
    taken.is_done = chunks.is_done();
  }
  return taken;
}

TEST(Chunks, give_the_same_body_whatever_the_pieces) {
  const struct {
    const char* what;
    std::string_view stream;
    std::string_view body;
    bool is_done;
  } cases[] = {
      {"one chunk", "3\r\nabc\r\n0\r\n\r\n", "abc", true},
      {"no chunk", "0\r\n\r\n", "", true},
      {"hexadecimal sizes of either case", "A\r\n0123456789\r\nb\r\n0123456789a\r\n0\r\n\r\n",
       "01234567890123456789a", true},
      {"zeros before a size", "0003\r\nabc\r\n000\r\n\r\n", "abc", true},
      {"extensions", "3;a=b;c\r\nabc\r\n0;d\r\n\r\n", "abc", true},
      {"spaces after a size", "3  \r\nabc\r\n0\r\n\r\n", "abc", true},
      {"a trailer", "3\r\nabc\r\n0\r\nContent-Length: 7\r\nA: b\r\n\r\n", "abc", true},
      {"lines that end with LF", "3\nabc\n0\n\n", "abc", true},
      {"line ends in the data", "4\r\n\r\n\r\n\r\n0\r\n\r\n", "\r\n\r\n", true},
      {"cut inside a chunk", "5\r\nabc", "abc", false},
      {"cut after a chunk", "3\r\nabc\r\n", "abc", false},
      {"cut before the last line", "3\r\nabc\r\n0\r\n", "abc", false},
  };
  for (const auto& c : cases) {
    for (std::size_t piece_bytes = 1; piece_bytes <= c.stream.size(); ++piece_bytes) {
      SCOPED_TRACE(c.what);
      SCOPED_TRACE(piece_bytes);
      const Taken taken = take_in_pieces(c.stream, piece_bytes);
      EXPECT_FALSE(taken.failed);
      EXPECT_EQ(taken.body, c.body);
      EXPECT_EQ(taken.is_done, c.is_done);
      EXPECT_EQ(taken.bytes, c.stream.size());
    }
  }
}

TEST(Chunks, leave_what_follows_them) {
  Chunks chunks;
  std::string body;
  EXPECT_EQ(chunks.feed("1\r\na\r\n0\r\n\r\nHTTP/1.1", body).value(), 11U);
  EXPECT_TRUE(chunks.is_done());
  EXPECT_EQ(chunks.feed("more", body).value(), 0U);
  EXPECT_EQ(body, "a");
}

TEST(Chunks, are_refused_where_they_make_no_sense) {
  const std::string endless_extension = "3;" + std::string(20'000, 'x');
  const std::string endless_trailer = "0\r\n" + std::string(20'000, 'x');
  const struct {
    const char* what;
    std::string_view stream;
  } cases[] = {
      {"no size", "\r\nabc"},
      {"a sign", "-3\r\nabc"},
      {"0x", "0x3\r\nabc"},
      {"a size of 16 digits", "0000000000000003\r\nabc"},
      {"data longer than its size", "3\r\nabcd\r\n0\r\n\r\n"},
      {"a text instead", "data: a\n\n"},
      {"an extension without end", endless_extension},
      {"a trailer without end", endless_trailer},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.what);
    EXPECT_TRUE(take_in_pieces(c.stream, 1).failed);
    EXPECT_TRUE(take_in_pieces(c.stream, c.stream.size()).failed);
  }
}

}  // namespace
}  // namespace vrelo::sse::client
