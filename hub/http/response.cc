// SPDX-License-Identifier: Apache-2.0
#include "hub/http/response.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <charconv>
#include <cstddef>

#include <boost/beast/http/status.hpp>

namespace vrelo::http {
namespace {

constexpr std::string_view kSecurityLines =
    "X-Content-Type-Options: nosniff\r\n"
    "Cross-Origin-Resource-Policy: same-origin\r\n";

void append_number(std::string& out, std::size_t number) {
  std::array<char, 20> digits{};
  const auto [end, error] = std::to_chars(digits.begin(), digits.end(), number);
  assert(error == std::errc());
  out.append(digits.begin(), end);
}

void append_status_line(std::string& out, int status) {
  out.append("HTTP/1.1 ");
  append_number(out, static_cast<std::size_t>(status));
  const auto reason =
      boost::beast::http::obsolete_reason(static_cast<boost::beast::http::status>(status));
  out.append(" ").append(reason.data(), reason.size()).append("\r\n");
}

void append_connection(std::string& out, const Framing& framing) {
  if (!framing.keep_alive) {
    out.append("Connection: close\r\n");
  } else if (framing.is_http_1_0) {
    out.append("Connection: keep-alive\r\n");
  }
}

}  // namespace

void FieldLines::add(std::string_view name, std::string_view value) {
  assert(!name.empty());
  assert(std::none_of(value.begin(), value.end(), [](char c) {
    return (static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7f;
  }));
  lines_.append(name).append(": ").append(value).append("\r\n");
}

Framing Framing::of(const Request& request) {
  return {.keep_alive = request.keep_alive,
          .is_http_1_0 = request.minor_version == 0,
          .omits_body = request.method == Method::kHead};
}

void append_response(std::string& out, const Framing& framing, const Response& response) {
  assert(response.status >= 200 && response.status <= 599);
  const bool has_length = response.status != 204 && response.status != 304;
  assert(has_length || response.body.empty());

  append_status_line(out, response.status);
  out.append(kSecurityLines);
  append_connection(out, framing);
  out.append(response.fields.lines());
  if (!response.content_type.empty()) {
    out.append("Content-Type: ").append(response.content_type).append("\r\n");
  }
  if (has_length) {
    out.append("Content-Length: ");
    append_number(out, response.body.size());
    out.append("\r\n");
  }
  out.append("\r\n");
  if (!framing.omits_body) {
    out.append(response.body);
  }
}

void append_published(std::string& out,
                      const Framing& framing,
                      std::string_view event_id,
                      const FieldLines& fields) {
  assert(!event_id.empty());
  out.append(
      "HTTP/1.1 200 OK\r\n"
      "X-Content-Type-Options: nosniff\r\n"
      "Cross-Origin-Resource-Policy: same-origin\r\n"
      "Content-Type: text/plain; charset=utf-8\r\n");
  append_connection(out, framing);
  out.append(fields.lines()).append("Content-Length: ");
  append_number(out, event_id.size());
  out.append("\r\n\r\n").append(event_id);
}

void append_stream_head(std::string& out, const FieldLines& fields) {
  out.append(
         "HTTP/1.1 200 OK\r\n"
         "X-Content-Type-Options: nosniff\r\n"
         "Cross-Origin-Resource-Policy: same-origin\r\n"
         "Content-Type: text/event-stream\r\n"
         "Cache-Control: no-store, no-transform, private\r\n"
         "X-Accel-Buffering: no\r\n"
         "Connection: close\r\n")
      .append(fields.lines())
      .append("\r\n");
}

}  // namespace vrelo::http
