// SPDX-License-Identifier: Apache-2.0
#include "hub/http/problem.h"

#include <string>

#include <gtest/gtest.h>

namespace vrelo::http {
namespace {

TEST(Problem, is_told_as_json) {
  EXPECT_EQ(problem_json({.status = 400,
                          .title = "malformed id",
                          .field = "id",
                          .detail = "An id may not begin with #."}),
            R"({"type":"about:blank","title":"malformed id","status":400,)"
            R"("detail":"An id may not begin with #.","field":"id"})");
}

TEST(Problem, leaves_out_what_it_does_not_know) {
  EXPECT_EQ(problem_json({.status = 429, .title = "too many connections"}),
            R"({"type":"about:blank","title":"too many connections","status":429})");
}

TEST(Problem, escapes_what_the_request_brought) {
  EXPECT_EQ(problem_json({.title = "t", .field = "match\"\n\\"}),
            R"({"type":"about:blank","title":"t","status":400,"field":"match\"\n\\"})");
}

TEST(Problem, shows_bytes_that_json_cannot_hold) {
  EXPECT_EQ(problem_json({.title = "t", .field = "match\xFF!"}),
            R"({"type":"about:blank","title":"t","status":400,"field":"match\\xFF!"})");
  EXPECT_EQ(problem_json({.title = "t", .field = "\xC3\xA9"}),
            "{\"type\":\"about:blank\",\"title\":\"t\",\"status\":400,\"field\":\"\xC3\xA9\"}");
}

TEST(Problem, becomes_a_whole_answer) {
  FieldLines fields;
  fields.add("Retry-After", "5");
  std::string out;
  append_problem(out, {.keep_alive = false}, {.status = 503, .title = "draining"}, fields);
  EXPECT_EQ(out,
            "HTTP/1.1 503 Service Unavailable\r\n"
            "X-Content-Type-Options: nosniff\r\n"
            "Cross-Origin-Resource-Policy: same-origin\r\n"
            "Connection: close\r\n"
            "Retry-After: 5\r\n"
            "Content-Type: application/problem+json\r\n"
            "Content-Length: 54\r\n"
            "\r\n"
            R"({"type":"about:blank","title":"draining","status":503})");
}

}  // namespace
}  // namespace vrelo::http
