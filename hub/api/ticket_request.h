// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include <boost/system/result.hpp>

#include "hub/api/policy.h"
#include "hub/auth/digest.h"
#include "hub/auth/ticket.h"
#include "hub/base/topic_patterns.h"
#include "hub/http/problem.h"
#include "hub/http/request.h"

namespace vrelo::api {

inline constexpr std::chrono::seconds kTicketTimeMax{300};
inline constexpr std::size_t kLabelBytesMax = 256;

// What the form of a POST to Policy::tickets_path asks for.
struct TicketWish {
  std::string query;  // the stream's: its selectors and cursors
  std::chrono::seconds ttl{30};
  std::string label = {};
};

// Reads the form. Its query has to be one that read_subscribe() would take, and to fit into the
// head of a request.
//
// Errors: 400, 413 and 415, each with the name of the field.
boost::system::result<TicketWish, http::Problem> read_ticket_wish(const http::Request& request,
                                                                  const Policy& policy,
                                                                  base::TopicPatterns& patterns);

// Returns why a page whose cookie came with the request may not mint; nullopt: it may.
// Errors: 403, names Origin.
std::optional<http::Problem> refuse_minting_page(const http::Request& request,
                                                 const Policy& policy);

// Returns whether a query has a ticket, of whatever form.
bool has_ticket(std::string_view query);

// A request for the stream of a ticket.
struct TicketRequest {
  std::optional<auth::TicketHash> ticket = {};  // nullopt: it has not the form of one
  std::optional<std::string> cursor = {};       // a proof may be behind it
  std::string proof = {};                       // of the field Last-Event-ID; "": none

  // What the same request has again when a browser or a proxy repeats it.
  auth::Digest fingerprint = {};
};

// Reads a request whose query has_ticket(). It is taken for what no link, image, frame or preload
// is, and what no page of another origin than those allowed can send.
//
// Errors: 400, 403, 406 and 425, each with the name of the header or the query field.
boost::system::result<TicketRequest, http::Problem> read_ticket_request(
    const http::Request& request, const Policy& policy);

}  // namespace vrelo::api
