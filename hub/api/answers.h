// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include <boost/system/error_code.hpp>

#include "hub/api/accept.h"
#include "hub/api/route.h"
#include "hub/api/subscribe_request.h"
#include "hub/base/admission.h"
#include "hub/http/problem.h"
#include "hub/http/response.h"

namespace vrelo::api {

// The answers of the hub's endpoints, besides http::append_published() and http::append_problem().
// `fields` are those that cors_fields() made for the request.

// What keeps the hub from doing something now, and passes by itself.
enum class Obstacle {
  kTooManyConnections,
  kTooManyOfAddress,
  kTooManyBytes,      // of requests that are not whole, or not answered
  kTooManyStreams,    // of a token's subject
  kTooManyPublishes,  // the same; passes within a second
  kDrain,
  kLogAway,
  kLogFull,         // of publishes alone
  kTooManyTickets,  // of one subject
  kTicketsFull,
  kTicketsAway,  // they cannot be kept
  kKeysAway,     // those of a ticket's issuer are not known yet
};

Obstacle obstacle(base::Admission::Refusal refusal);

// `error` is one that log::Log::append(), find() or read() gives, but for kPositionGone.
Obstacle obstacle(const boost::system::error_code& error);

// What the answer says where it is no stream, and the words for the log and the metrics.
http::Problem problem(Obstacle obstacle);

// Why a publisher without the right to each of its topics is refused, and whoever was refused by
// auth::Authenticator::authorize().
// `metadata_url`: as in Policy.
http::Problem not_granted(std::string_view metadata_url);
http::Problem unauthorized(const boost::system::error_code& error, std::string_view metadata_url);

// Why a ticket opens no stream, whatever is wrong with it.
http::Problem ticket_refused(std::string_view metadata_url);

// Returns whether the sender of `request` has to be refused with a stream that ends, since a native
// EventSource gives up for ever on any status but 200.
bool wants_stream(const http::Request& request, const Route& route);

// Tells the sender to come back after `retry`, which the caller jitters: 429, 503 or 507 with
// Retry-After.
void append_obstacle(std::string& out,
                     const http::Framing& framing,
                     const http::FieldLines& fields,
                     Obstacle obstacle,
                     std::chrono::milliseconds retry);

// The same to one that wants_stream(): 200, the reason as a comment, `retry`, and the end. There is
// no id, so that the reader keeps the cursor it has.
void append_obstacle_stream(std::string& out,
                            const http::Framing& framing,
                            const http::FieldLines& fields,
                            Obstacle obstacle,
                            std::chrono::milliseconds retry);

// The head of a stream, also as the answer to HEAD. `last_event_id`: as in Resume, "" for none.
std::string stream_head(const http::FieldLines& fields,
                        Generation generation,
                        std::string_view last_event_id);

// 204 with Allow, to OPTIONS. `fields` are those of preflight_fields().
void append_options(std::string& out,
                    const http::Framing& framing,
                    const http::FieldLines& fields,
                    Endpoint endpoint);

// 404 and 405, the latter with Allow.
void append_not_found(std::string& out,
                      const http::Framing& framing,
                      const http::FieldLines& fields);
void append_not_allowed(std::string& out,
                        const http::Framing& framing,
                        const http::FieldLines& fields,
                        Endpoint endpoint);

// 200 with the hub's description.
void append_metadata(std::string& out,
                     const http::Framing& framing,
                     const http::FieldLines& fields,
                     std::string_view metadata);

// 200 with a text for people, as of /healthz and /readyz; that of /metrics has a type of its own.
void append_text(std::string& out, const http::Framing& framing, std::string_view text);
void append_metrics(std::string& out, const http::Framing& framing, std::string_view page);

// 201 with a ticket, as JSON.
void append_minted(std::string& out,
                   const http::Framing& framing,
                   const http::FieldLines& fields,
                   std::string_view json);

// 200 with JSON for an administrator.
void append_json(std::string& out, const http::Framing& framing, std::string_view json);

}  // namespace vrelo::api
