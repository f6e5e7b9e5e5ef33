// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "hub/http/request.h"

namespace vrelo::http {

// Header fields, ready to be sent.
class FieldLines {
 public:
  // `value` may hold any bytes but controls other than tab. Input must be checked before: a line
  // break in it would begin a field of the attacker's choice.
  void add(std::string_view name, std::string_view value);

  // "", or lines that each end with CR LF.
  std::string_view lines() const { return lines_; }

 private:
  std::string lines_;
};

// What an answer owes to how its request was framed. It outlives the request.
struct Framing {
  bool keep_alive = true;    // the connection takes another request
  bool is_http_1_0 = false;  // whose sender must be told that the connection stays
  bool omits_body = false;   // the request was HEAD

  static Framing of(const Request& request);
};

struct Response {
  int status = 200;
  FieldLines fields = {};              // besides those that append_response() writes by itself
  std::string_view content_type = {};  // "": there is no body
  std::string_view body = {};
};

// Appends a whole answer to `out`. Each answer says how long it is, whether the connection stays,
// and X-Content-Type-Options and Cross-Origin-Resource-Policy, so that no page can include it as
// what it is not. There is no Date: nothing that the hub answers is kept by a cache.
//
// Cost: no allocation once `out` has grown.
// Source: RFC 9112, RFC 9110 8.6: no Content-Length in a 204 or 304, which end with their head.
void append_response(std::string& out, const Framing& framing, const Response& response);

// Appends the answer to a publish: the event's id and nothing else, not even a line end.
// Source: draft-dunglas-mercure-08, section 5.
void append_published(std::string& out,
                      const Framing& framing,
                      std::string_view event_id,
                      const FieldLines& fields);

// Appends the head of a stream: the answer ends where the connection is closed, so that its bytes
// are the bytes that all readers share. `content_type` and what caches and proxies must know are in
// it.
//
// The same head answers HEAD, without ever becoming a stream.
void append_stream_head(std::string& out, const FieldLines& fields);

// What a sender that expects it waits for before it sends the body.
inline constexpr std::string_view kContinueResponse = "HTTP/1.1 100 Continue\r\n\r\n";

}  // namespace vrelo::http
