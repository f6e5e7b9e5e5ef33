// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "hub/api/policy.h"
#include "hub/http/request_parser.h"

namespace vrelo::api {

// A request as the parser gives it to the endpoints.
class TestRequest {
 public:
  struct Parts {
    std::string method = "GET";
    std::string target = std::string(kHubPath);
    std::string host = "localhost:3000";
    std::vector<http::Field> fields = {};
    std::string body = {};
    http::RequestLimits limits = {};
  };

  explicit TestRequest(const Parts& parts) : parser_(parts.limits) {
    std::string bytes =
        fmt::format("{} {} HTTP/1.1\r\nHost: {}\r\n", parts.method, parts.target, parts.host);
    for (const http::Field& field : parts.fields) {
      bytes.append(field.name).append(": ").append(field.value).append("\r\n");
    }
    if (!parts.body.empty()) {
      bytes.append(fmt::format("Content-Length: {}\r\n", parts.body.size()));
    }
    parser_.feed(bytes.append("\r\n").append(parts.body));
    EXPECT_EQ(parser_.next(), http::RequestParser::Progress::kRequest) << bytes;
  }

  const http::Request& operator*() const { return parser_.request(); }

 private:
  http::RequestParser parser_;
};

// Publishes `form`.
inline TestRequest::Parts publish_parts(std::string form) {
  return {.method = "POST",
          .fields = {{"Content-Type", "application/x-www-form-urlencoded"}},
          .body = std::move(form),
          .limits = {.body_bytes_max = std::size_t{4} << 20}};
}

// Subscribes with `query`.
inline TestRequest::Parts subscribe_parts(std::string_view query,
                                          std::vector<http::Field> fields = {}) {
  return {.target = fmt::format("{}?{}", kHubPath, query),
          .fields = std::move(fields),
          .limits = {.head_bytes_max = std::size_t{4} << 20}};
}

}  // namespace vrelo::api
