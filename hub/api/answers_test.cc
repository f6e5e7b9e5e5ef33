// SPDX-License-Identifier: Apache-2.0
#include "hub/api/answers.h"

#include <chrono>
#include <string>

#include <gtest/gtest.h>

#include "hub/api/request_testing.h"
#include "hub/log/log.h"

namespace vrelo::api {
namespace {

using std::chrono::milliseconds;

http::FieldLines vary() {
  http::FieldLines fields;
  fields.add("Vary", "Origin");
  return fields;
}

constexpr std::string_view kSecurity =
    "X-Content-Type-Options: nosniff\r\n"
    "Cross-Origin-Resource-Policy: same-origin\r\n";

// Lets tests write down what an answer says, without what each says.
std::string without_security(std::string answer) {
  const auto at = answer.find(kSecurity);
  EXPECT_NE(at, std::string::npos) << answer;
  return at == std::string::npos ? answer : answer.erase(at, kSecurity.size());
}

TEST(Obstacle, comes_from_admission_or_the_log) {
  using Refusal = base::Admission::Refusal;
  EXPECT_EQ(obstacle(Refusal::kTooMany), Obstacle::kTooManyConnections);
  EXPECT_EQ(obstacle(Refusal::kTooManyFromAddress), Obstacle::kTooManyOfAddress);
  EXPECT_EQ(obstacle(make_error_code(log::Errc::kFull)), Obstacle::kLogFull);
  EXPECT_EQ(obstacle(make_error_code(log::Errc::kUnavailable)), Obstacle::kLogAway);
  EXPECT_EQ(obstacle(make_error_code(log::Errc::kStopped)), Obstacle::kLogAway);
}

TEST(ObstacleDeathTest, is_no_answer_to_a_position_that_is_gone) {
  EXPECT_DEATH(obstacle(make_error_code(log::Errc::kPositionGone)), "kUnavailable");
}

TEST(Obstacle, has_a_status_that_says_who_can_change_it) {
  EXPECT_EQ(problem(Obstacle::kTooManyConnections).status, 503);
  EXPECT_EQ(problem(Obstacle::kTooManyOfAddress).status, 429);
  EXPECT_EQ(problem(Obstacle::kTooManyStreams).status, 429);
  EXPECT_EQ(problem(Obstacle::kTooManyPublishes).status, 429);
  EXPECT_EQ(problem(Obstacle::kDrain).status, 503);
  EXPECT_EQ(problem(Obstacle::kLogAway).status, 503);
  EXPECT_EQ(problem(Obstacle::kLogFull).status, 507);
}

TEST(Obstacle, tells_a_program_when_to_come_back) {
  std::string out;
  append_obstacle(out, {.keep_alive = false}, vary(), Obstacle::kTooManyOfAddress,
                  milliseconds(3001));
  EXPECT_EQ(without_security(out),
            "HTTP/1.1 429 Too Many Requests\r\n"
            "Connection: close\r\n"
            "Vary: Origin\r\n"
            "Retry-After: 4\r\n"
            "Content-Type: application/problem+json\r\n"
            "Content-Length: 81\r\n"
            "\r\n"
            R"({"type":"about:blank","title":"too many connections of one address","status":429})");
}

TEST(Obstacle, is_never_retried_at_once) {
  std::string out;
  append_obstacle(out, {}, vary(), Obstacle::kDrain, milliseconds(0));
  EXPECT_NE(out.find("\r\nRetry-After: 1\r\n"), std::string::npos);
}

TEST(Obstacle, is_a_stream_that_ends_to_an_event_source) {
  std::string out;
  append_obstacle_stream(out, {}, vary(), Obstacle::kTooManyConnections, milliseconds(2345));
  EXPECT_EQ(without_security(out),
            "HTTP/1.1 200 OK\r\n"
            "Vary: Origin\r\n"
            "Cache-Control: no-store, no-transform, private\r\n"
            "Content-Type: text/event-stream\r\n"
            "Content-Length: 36\r\n"
            "\r\n"
            ": too many connections\n"
            "retry: 2345\n"
            "\n");
}

TEST(Answers, are_streams_to_a_get_that_names_them) {
  const auto wants = [](std::string method, std::string_view accept) {
    TestRequest::Parts parts = subscribe_parts("match=a", {{"Accept", accept}});
    parts.method = std::move(method);
    const TestRequest request(parts);
    return wants_stream(*request, route(*request, Listener::kMain, {}));
  };
  EXPECT_TRUE(wants("GET", "text/event-stream"));
  EXPECT_TRUE(wants("GET", "text/event-stream, */*;q=0.1"));
  EXPECT_FALSE(wants("GET", "*/*"));
  EXPECT_FALSE(wants("GET", "text/event-stream;q=0"));
  EXPECT_FALSE(wants("HEAD", "text/event-stream"));
  EXPECT_FALSE(wants("POST", "text/event-stream"));

  const TestRequest metrics({.target = "/metrics", .fields = {{"Accept", "text/event-stream"}}});
  EXPECT_FALSE(wants_stream(*metrics, route(*metrics, Listener::kAdmin, {})));
}

TEST(Answers, begin_a_stream) {
  EXPECT_EQ(without_security(stream_head(vary(), Generation::kMatch, "")),
            "HTTP/1.1 200 OK\r\n"
            "Content-Type: text/event-stream\r\n"
            "Cache-Control: no-store, no-transform, private\r\n"
            "X-Accel-Buffering: no\r\n"
            "Connection: close\r\n"
            "Vary: Origin\r\n"
            "\r\n");
}

TEST(Answers, tell_a_stream_where_it_begins) {
  const auto fields = [](Generation generation) {
    const std::string head = stream_head({}, generation, "i1");
    const auto close = head.find("close\r\n");
    return head.substr(close + 7);
  };
  EXPECT_EQ(fields(Generation::kMatch), "Mercure-Last-Event-ID: i1\r\n\r\n");
  EXPECT_EQ(fields(Generation::kTopic),
            "Mercure-Last-Event-ID: i1\r\n"
            "Last-Event-ID: i1\r\n\r\n");
}

TEST(Answers, list_the_methods) {
  std::string out;
  append_options(out, {}, vary(), Endpoint::kHub);
  EXPECT_EQ(without_security(out),
            "HTTP/1.1 204 No Content\r\n"
            "Vary: Origin\r\n"
            "Allow: GET, HEAD, POST, OPTIONS\r\n"
            "\r\n");
}

TEST(Answers, say_that_there_is_nothing) {
  std::string out;
  append_not_found(out, {}, vary());
  EXPECT_EQ(without_security(out),
            "HTTP/1.1 404 Not Found\r\n"
            "Vary: Origin\r\n"
            "Content-Type: application/problem+json\r\n"
            "Content-Length: 58\r\n"
            "\r\n"
            R"({"type":"about:blank","title":"nothing here","status":404})");
}

TEST(Answers, say_which_method_would_do) {
  std::string out;
  append_not_allowed(out, {}, vary(), Endpoint::kHub);
  EXPECT_EQ(without_security(out),
            "HTTP/1.1 405 Method Not Allowed\r\n"
            "Vary: Origin\r\n"
            "Allow: GET, HEAD, POST, OPTIONS\r\n"
            "Content-Type: application/problem+json\r\n"
            "Content-Length: 64\r\n"
            "\r\n"
            R"({"type":"about:blank","title":"method not allowed","status":405})");
}

TEST(Answers, show_a_text) {
  std::string out;
  append_text(out, {}, "ok\n");
  EXPECT_EQ(without_security(out),
            "HTTP/1.1 200 OK\r\n"
            "Cache-Control: no-store\r\n"
            "Content-Type: text/plain; charset=utf-8\r\n"
            "Content-Length: 3\r\n"
            "\r\n"
            "ok\n");
}

TEST(Answers, leave_the_body_out_for_head) {
  std::string out;
  append_metrics(out, {.omits_body = true}, "a 1\n");
  EXPECT_EQ(without_security(out),
            "HTTP/1.1 200 OK\r\n"
            "Cache-Control: no-store\r\n"
            "Content-Type: text/plain; version=0.0.4; charset=utf-8\r\n"
            "Content-Length: 4\r\n"
            "\r\n");
}

TEST(Answers, refuse_a_publisher_without_the_right) {
  EXPECT_EQ(not_granted("").status, 403);
  EXPECT_EQ(not_granted("").field, "topic");
}

}  // namespace
}  // namespace vrelo::api
