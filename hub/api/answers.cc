// SPDX-License-Identifier: Apache-2.0
#include "hub/api/answers.h"

#include <algorithm>
#include <cassert>
#include <utility>

#include <fmt/format.h>

#include "hub/auth/challenge.h"
#include "hub/auth/errc.h"
#include "hub/base/metrics.h"
#include "hub/fanout/blocks.h"
#include "hub/log/log.h"

namespace vrelo::api {
namespace {

// As append_stream_head() has it: nothing on the way may keep or change these bytes.
constexpr std::string_view kStreamCacheControl = "no-store, no-transform, private";

void append_shown(std::string& out,
                  const http::Framing& framing,
                  std::string_view content_type,
                  std::string_view body) {
  http::Response response{.content_type = content_type, .body = body};
  response.fields.add("Cache-Control", "no-store");
  http::append_response(out, framing, response);
}

}  // namespace

Obstacle obstacle(base::Admission::Refusal refusal) {
  return refusal == base::Admission::Refusal::kTooMany ? Obstacle::kTooManyConnections
                                                       : Obstacle::kTooManyOfAddress;
}

Obstacle obstacle(const boost::system::error_code& error) {
  if (error == log::Errc::kFull) {
    return Obstacle::kLogFull;
  }
  assert(error == log::Errc::kUnavailable || error == log::Errc::kStopped);
  return Obstacle::kLogAway;
}

http::Problem problem(Obstacle obstacle) {
  switch (obstacle) {
    case Obstacle::kTooManyConnections:
      return {.status = 503, .title = "too many connections"};
    case Obstacle::kTooManyOfAddress:
      return {.status = 429, .title = "too many connections of one address"};
    case Obstacle::kTooManyBytes:
      return {.status = 503, .title = "too many large requests at once"};
    case Obstacle::kTooManyStreams:
      return {.status = 429, .title = "too many streams of one subject"};
    case Obstacle::kTooManyPublishes:
      return {.status = 429, .title = "too many publishes of one subject"};
    case Obstacle::kDrain:
      return {.status = 503, .title = "the hub is about to stop"};
    case Obstacle::kLogAway:
      return {.status = 503,
              .title = "the log does not answer",
              .detail =
                  "An event that was sent may be stored or not. With an id of its own it can "
                  "be sent again without being stored twice."};
    case Obstacle::kLogFull:
      return {.status = 507, .title = "the log is full", .detail = "The event was not stored."};
    case Obstacle::kTooManyTickets:
      return {.status = 429, .title = "too many tickets of one subject"};
    case Obstacle::kTicketsFull:
      return {.status = 503, .title = "too many tickets"};
    case Obstacle::kTicketsAway:
      return {.status = 503, .title = "tickets cannot be kept"};
    case Obstacle::kKeysAway:
      return {.status = 503, .title = "the keys of the issuer are not known yet"};
  }
  assert(false);
  return {};
}

http::Problem not_granted(std::string_view metadata_url) {
  auth::Challenge challenge = auth::challenge_of_missing_grant(metadata_url);
  return {.status = challenge.status,
          .title = "not granted",
          .field = "topic",
          .detail = "The token does not allow to publish on the topic, or on one of the topics.",
          .challenge = std::move(challenge.field)};
}

http::Problem unauthorized(const boost::system::error_code& error, std::string_view metadata_url) {
  auth::Challenge challenge = auth::challenge_of(error, metadata_url);
  const bool is_missing = error == auth::Errc::kTokenMissing;
  const bool is_malformed = auth::is_malformed_request(error);
  return {.status = challenge.status,
          .title = is_missing     ? "token missing"
                   : is_malformed ? "malformed authorization"
                                  : "token refused",
          .detail = is_missing ? "This needs a token: Authorization: Bearer, or a cookie." : "",
          .challenge = std::move(challenge.field),
          .log_detail = is_missing ? "" : error.message()};
}

http::Problem ticket_refused(std::string_view metadata_url) {
  return {
      .status = 401,
      .title = "ticket refused",
      .challenge = auth::challenge_of(make_error_code(auth::Errc::kRevoked), metadata_url).field};
}

bool wants_stream(const http::Request& request, const Route& route) {
  return route.act == Act::kSubscribe && request.method == http::Method::kGet &&
         stream_wish(request) == StreamWish::kNamed;
}

void append_obstacle(std::string& out,
                     const http::Framing& framing,
                     const http::FieldLines& fields,
                     Obstacle obstacle,
                     std::chrono::milliseconds retry) {
  const auto seconds =
      std::max(std::chrono::ceil<std::chrono::seconds>(retry), std::chrono::seconds(1));
  http::FieldLines all = fields;
  all.add("Retry-After", fmt::format_int(seconds.count()).c_str());
  http::append_problem(out, framing, problem(obstacle), all);
}

void append_obstacle_stream(std::string& out,
                            const http::Framing& framing,
                            const http::FieldLines& fields,
                            Obstacle obstacle,
                            std::chrono::milliseconds retry) {
  const std::string body =
      fmt::format(": {}\n{}", problem(obstacle).title, fanout::retry_block(retry));
  http::Response response{.fields = fields, .content_type = "text/event-stream", .body = body};
  response.fields.add("Cache-Control", kStreamCacheControl);
  http::append_response(out, framing, response);
}

std::string stream_head(const http::FieldLines& fields,
                        Generation generation,
                        std::string_view last_event_id) {
  http::FieldLines all = fields;
  if (!last_event_id.empty()) {
    all.add("Mercure-Last-Event-ID", last_event_id);
    if (generation == Generation::kTopic) {
      all.add("Last-Event-ID", last_event_id);
    }
  }
  std::string head;
  http::append_stream_head(head, all);
  return head;
}

void append_options(std::string& out,
                    const http::Framing& framing,
                    const http::FieldLines& fields,
                    Endpoint endpoint) {
  http::Response response{.status = 204, .fields = fields};
  response.fields.add("Allow", allowed_methods(endpoint));
  http::append_response(out, framing, response);
}

void append_not_found(std::string& out,
                      const http::Framing& framing,
                      const http::FieldLines& fields) {
  http::append_problem(out, framing, {.status = 404, .title = "nothing here"}, fields);
}

void append_not_allowed(std::string& out,
                        const http::Framing& framing,
                        const http::FieldLines& fields,
                        Endpoint endpoint) {
  http::FieldLines all = fields;
  all.add("Allow", allowed_methods(endpoint));
  http::append_problem(out, framing, {.status = 405, .title = "method not allowed"}, all);
}

void append_metadata(std::string& out,
                     const http::Framing& framing,
                     const http::FieldLines& fields,
                     std::string_view metadata) {
  http::Response response{.fields = fields, .content_type = "application/json", .body = metadata};
  http::append_response(out, framing, response);
}

void append_text(std::string& out, const http::Framing& framing, std::string_view text) {
  append_shown(out, framing, "text/plain; charset=utf-8", text);
}

void append_metrics(std::string& out, const http::Framing& framing, std::string_view page) {
  append_shown(out, framing, base::Exposition::kMediaType, page);
}

void append_minted(std::string& out,
                   const http::Framing& framing,
                   const http::FieldLines& fields,
                   std::string_view json) {
  http::Response response{
      .status = 201, .fields = fields, .content_type = "application/json", .body = json};
  response.fields.add("Cache-Control", "no-store");
  http::append_response(out, framing, response);
}

void append_json(std::string& out, const http::Framing& framing, std::string_view json) {
  append_shown(out, framing, "application/json", json);
}

}  // namespace vrelo::api
