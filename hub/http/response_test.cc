// SPDX-License-Identifier: Apache-2.0
#include "hub/http/response.h"

#include <string>

#include <gtest/gtest.h>

namespace vrelo::http {
namespace {

TEST(Response, has_a_length_and_the_fields_that_every_answer_has) {
  std::string out;
  append_response(out, {}, {.status = 404, .content_type = "text/plain", .body = "gone"});
  EXPECT_EQ(out,
            "HTTP/1.1 404 Not Found\r\n"
            "X-Content-Type-Options: nosniff\r\n"
            "Cross-Origin-Resource-Policy: same-origin\r\n"
            "Content-Type: text/plain\r\n"
            "Content-Length: 4\r\n"
            "\r\n"
            "gone");
}

TEST(Response, is_appended_to_what_is_there) {
  std::string out = "before";
  append_response(out, {}, {.status = 200});
  EXPECT_TRUE(out.starts_with("beforeHTTP/1.1 200 OK\r\n"));
  EXPECT_TRUE(out.ends_with("Content-Length: 0\r\n\r\n"));
}

TEST(Response, keeps_the_order_of_added_fields) {
  FieldLines fields;
  fields.add("Allow", "GET, POST");
  fields.add("Retry-After", "3");
  std::string out;
  append_response(out, {}, {.status = 405, .fields = fields});
  EXPECT_NE(out.find("\r\nAllow: GET, POST\r\nRetry-After: 3\r\n"), std::string::npos);
}

TEST(Response, without_content_has_no_length) {
  for (const int status : {204, 304}) {
    std::string out;
    append_response(out, {}, {.status = status});
    EXPECT_EQ(out.find("Content-Length"), std::string::npos) << status;
    EXPECT_TRUE(out.ends_with("\r\n\r\n"));
  }
}

TEST(Response, to_head_says_the_length_of_the_body_that_it_omits) {
  std::string out;
  append_response(out, {.omits_body = true}, {.content_type = "text/plain", .body = "hello"});
  EXPECT_TRUE(out.ends_with("Content-Length: 5\r\n\r\n"));
}

TEST(Response, says_what_becomes_of_the_connection_where_the_sender_cannot_know) {
  const struct {
    const char* what;
    Framing framing;
    bool close;
    bool keep_alive;
  } cases[] = {
      {"1.1 stays unless said otherwise", {}, false, false},
      {"closing", {.keep_alive = false}, true, false},
      {"1.0 closes unless said otherwise", {.is_http_1_0 = true}, false, true},
      {"1.0 closing", {.keep_alive = false, .is_http_1_0 = true}, true, false},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.what);
    std::string out;
    append_response(out, c.framing, {});
    EXPECT_EQ(out.find("\r\nConnection: close\r\n") != std::string::npos, c.close);
    EXPECT_EQ(out.find("\r\nConnection: keep-alive\r\n") != std::string::npos, c.keep_alive);
  }
}

TEST(Response, has_a_reason_for_each_status_that_the_hub_gives) {
  const struct {
    int status;
    const char* line;
  } cases[] = {{200, "HTTP/1.1 200 OK\r\n"},
               {403, "HTTP/1.1 403 Forbidden\r\n"},
               {405, "HTTP/1.1 405 Method Not Allowed\r\n"},
               {406, "HTTP/1.1 406 Not Acceptable\r\n"},
               {413, "HTTP/1.1 413 Payload Too Large\r\n"},
               {421, "HTTP/1.1 421 Misdirected Request\r\n"},
               {429, "HTTP/1.1 429 Too Many Requests\r\n"},
               {503, "HTTP/1.1 503 Service Unavailable\r\n"},
               {507, "HTTP/1.1 507 Insufficient Storage\r\n"}};
  for (const auto& c : cases) {
    std::string out;
    append_response(out, {}, {.status = c.status});
    EXPECT_TRUE(out.starts_with(c.line)) << out;
  }
}

TEST(Response, to_a_publish_is_the_id_and_nothing_else) {
  FieldLines fields;
  fields.add("Vary", "Origin");
  std::string out;
  append_published(out, {}, "urn:x:1", fields);
  EXPECT_EQ(out,
            "HTTP/1.1 200 OK\r\n"
            "X-Content-Type-Options: nosniff\r\n"
            "Cross-Origin-Resource-Policy: same-origin\r\n"
            "Content-Type: text/plain; charset=utf-8\r\n"
            "Vary: Origin\r\n"
            "Content-Length: 7\r\n"
            "\r\n"
            "urn:x:1");
}

TEST(Response, that_streams_ends_with_the_connection) {
  std::string out;
  append_stream_head(out, {});
  EXPECT_EQ(out,
            "HTTP/1.1 200 OK\r\n"
            "X-Content-Type-Options: nosniff\r\n"
            "Cross-Origin-Resource-Policy: same-origin\r\n"
            "Content-Type: text/event-stream\r\n"
            "Cache-Control: no-store, no-transform, private\r\n"
            "X-Accel-Buffering: no\r\n"
            "Connection: close\r\n"
            "\r\n");
}

TEST(Framing, is_that_of_the_request) {
  const Framing head =
      Framing::of({.method = Method::kHead, .minor_version = 0, .keep_alive = false});
  EXPECT_TRUE(head.omits_body);
  EXPECT_TRUE(head.is_http_1_0);
  EXPECT_FALSE(head.keep_alive);
  const Framing get = Framing::of({.method = Method::kGet});
  EXPECT_FALSE(get.omits_body);
  EXPECT_FALSE(get.is_http_1_0);
  EXPECT_TRUE(get.keep_alive);
}

TEST(FieldLinesDeathTest, do_not_take_a_line_break) {
  FieldLines fields;
  EXPECT_DEATH(fields.add("A", "b\r\nC: d"), "value");
  EXPECT_DEATH(fields.add("A", "b\nC: d"), "value");
}

}  // namespace
}  // namespace vrelo::http
