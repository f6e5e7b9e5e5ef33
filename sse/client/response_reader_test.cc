// SPDX-License-Identifier: Apache-2.0
#include "sse/client/response_reader.h"

#include <chrono>
#include <string>
#include <string_view>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sse/client/response_reader_testing.h"

namespace vrelo::sse::client {
namespace {

using std::chrono::seconds;

TEST(ResponseReader, reads_an_answer_of_any_framing_whatever_the_pieces) {
  const struct {
    const char* what;
    std::string_view answer;
    int status;
    std::string_view body;
    bool needs_end;
    bool keeps_alive;
  } cases[] = {
      {"a length", "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc", 200, "abc", false, true},
      {"length 0", "HTTP/1.1 507 \r\nContent-Length: 0\r\n\r\n", 507, "", false, true},
      {"chunks", "HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n", 200,
       "abc", false, true},
      {"up to the end", "HTTP/1.1 200 OK\r\n\r\nabc", 200, "abc", true, false},
      {"HTTP/1.0", "HTTP/1.0 200 OK\r\nContent-Length: 3\r\n\r\nabc", 200, "abc", false, false},
      {"close", "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 1\r\n\r\na", 200, "a",
       false, false},
      {"204 has no body", "HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n", 204, "",
       false, true},
      {"an interim answer before it",
       "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"
       "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\na",
       200, "a", false, true},
  };
  for (const auto& c : cases) {
    for (std::size_t piece_bytes = 1; piece_bytes <= c.answer.size(); ++piece_bytes) {
      SCOPED_TRACE(c.what);
      SCOPED_TRACE(piece_bytes);
      ResponseReader reader;
      const ReadAnswer read = read_in_pieces(reader, c.answer, piece_bytes);
      ASSERT_FALSE(read.error);
      EXPECT_EQ(read.taken, c.answer.size());
      ASSERT_NE(reader.head(), nullptr);
      EXPECT_EQ(reader.head()->status, c.status);
      EXPECT_EQ(reader.head()->keeps_alive, c.keeps_alive);
      EXPECT_EQ(reader.body(), c.body);
      EXPECT_EQ(reader.is_done(), !c.needs_end);
      EXPECT_TRUE(reader.end().has_value());
      EXPECT_TRUE(reader.is_done());
    }
  }
}

TEST(ResponseReader, reads_the_fields_that_a_client_asks_for) {
  ResponseReader reader;
  ASSERT_TRUE(
      reader.feed("HTTP/1.1 503 Service Unavailable\r\ncontent-type: text/plain; charset=utf-8\r\n"
                  "Location: /x\r\nRetry-After: 7\r\nContent-Encoding: gzip\r\n\r\n"));
  ASSERT_NE(reader.head(), nullptr);
  EXPECT_EQ(reader.head()->content_type, "text/plain; charset=utf-8");
  EXPECT_EQ(reader.head()->location, "/x");
  EXPECT_EQ(reader.head()->retry_after, seconds(7));
  EXPECT_TRUE(reader.head()->is_compressed);
}

TEST(ResponseReader, takes_only_digits_for_the_seconds_of_retry_after) {
  for (const std::string_view text :
       {"", "-1", "1.5", "Fri, 31 Dec 1999 23:59:59 GMT", "4294967296"}) {
    SCOPED_TRACE(text);
    ResponseReader reader;
    ASSERT_TRUE(reader.feed("HTTP/1.1 503 x\r\nRetry-After: " + std::string(text) + "\r\n\r\n"));
    ASSERT_NE(reader.head(), nullptr);
    EXPECT_EQ(reader.head()->retry_after, std::nullopt);
  }
}

TEST(ResponseReader, leaves_the_answer_after_it) {
  ResponseReader reader;
  constexpr std::string_view kFirst = "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\na";
  EXPECT_EQ(reader.feed(std::string(kFirst) + "HTTP/1.1 200 OK\r\n").value(), kFirst.size());
  EXPECT_TRUE(reader.is_done());
  EXPECT_EQ(reader.body(), "a");
}

TEST(ResponseReader, takes_what_was_cut_off_for_no_answer) {
  for (const std::string_view answer :
       {"", "HTTP/1.1 200 OK\r\nContent-Le", "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nab",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nab",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n",
        "HTTP/1.1 100 Continue\r\n\r\n"}) {
    SCOPED_TRACE(answer);
    ResponseReader reader;
    ASSERT_TRUE(reader.feed(answer));
    EXPECT_EQ(reader.end().error(), Errc::kCut);
  }
}

TEST(ResponseReader, refuses_what_is_no_answer) {
  std::string interims;
  for (int i = 0; i < 17; ++i) {
    interims += "HTTP/1.1 103 Early Hints\r\n\r\n";
  }
  const struct {
    const char* what;
    std::string answer;
    Errc errc;
  } cases[] = {
      {"another protocol", "SSH-2.0-OpenSSH_9.2\r\n\r\n", Errc::kNotHttp},
      {"a later HTTP", "HTTP/2.0 200 OK\r\n\r\n", Errc::kNotHttp},
      {"a change of protocol", "HTTP/1.1 101 Switching Protocols\r\n\r\n", Errc::kNotHttp},
      {"interim answers without end", interims, Errc::kNotHttp},
      {"a bad length", "HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n", Errc::kNotHttp},
      {"two lengths", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
       Errc::kNotHttp},
      {"a length and chunks",
       "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
       Errc::kNotHttp},
      {"an unknown encoding", "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
       Errc::kNotHttp},
      {"bad chunks", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
       Errc::kNotHttp},
      {"a head without end", "HTTP/1.1 200 OK\r\nX: " + std::string(70'000, 'x'),
       Errc::kHeadTooBig},
  };
  for (const auto& c : cases) {
    for (const std::size_t piece_bytes : {std::size_t{1}, c.answer.size()}) {
      SCOPED_TRACE(c.what);
      SCOPED_TRACE(piece_bytes);
      ResponseReader reader;
      EXPECT_EQ(read_in_pieces(reader, c.answer, piece_bytes).error, c.errc);
    }
  }
}

}  // namespace
}  // namespace vrelo::sse::client
