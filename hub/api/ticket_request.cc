// SPDX-License-Identifier: Apache-2.0
#include "hub/api/ticket_request.h"

#include <algorithm>
#include <cctype>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "hub/api/accept.h"
#include "hub/api/cors.h"
#include "hub/api/form_body.h"
#include "hub/api/subscribe_request.h"
#include "hub/auth/proof.h"
#include "hub/base/setting_text.h"
#include "hub/base/text.h"
#include "hub/http/form.h"

namespace vrelo::api {
namespace {

constexpr std::string_view kTicket = "ticket";

http::Problem malformed(std::string_view field, std::string detail, int status = 400) {
  return {.status = status,
          .title = "malformed ticket request",
          .field = std::string(field),
          .detail = std::move(detail)};
}

std::optional<http::Problem> read_pair(const http::FormPair& pair, TicketWish& wish) {
  const std::string name = http::form_decode(pair.name);
  const std::string value = http::form_decode(pair.value);
  if (name == "ttl") {
    const auto seconds = base::parse_count(value);
    if (!seconds || *seconds < 1 || *seconds > static_cast<std::uint64_t>(kTicketTimeMax.count())) {
      return malformed(
          name, fmt::format("It is a number of seconds, from 1 to {}.", kTicketTimeMax.count()));
    }
    wish.ttl = std::chrono::seconds(*seconds);
  } else if (name == "label") {
    if (value.empty() || value.size() > kLabelBytesMax || base::find_fault(value)) {
      return malformed(
          name, fmt::format("It is a text of 1 to {} bytes, without controls.", kLabelBytesMax));
    }
    wish.label = value;
  } else if (is_selector_name(name) || is_cursor_name(name)) {
    // Nothing else: it is kept as long as the ticket, and may be a secret.
    wish.query += wish.query.empty() ? "" : "&";
    wish.query.append(pair.name).append("=").append(pair.value);
  }
  return std::nullopt;
}

// What only a proxy or the address of its sender changes is not among it.
bool is_compared(std::string_view name) {
  const auto begins = [name](std::string_view prefix) {
    return http::iequals(name.substr(0, prefix.size()), prefix);
  };
  return http::iequals(name, "Origin") || http::iequals(name, "User-Agent") || begins("Accept") ||
         begins("Sec-Fetch-") || begins("Sec-CH-UA");
}

auth::Digest fingerprint_of(const http::Request& request) {
  std::vector<std::string> lines;
  for (const http::Field& field : request.fields) {
    if (is_compared(field.name)) {
      std::string& line = lines.emplace_back(field.name);
      std::transform(line.begin(), line.end(), line.begin(),
                     [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
      line.append(":").append(field.value);
    }
  }
  std::sort(lines.begin(), lines.end());
  std::string text(request.host);
  for (const std::string& line : lines) {
    text.append("\n").append(line);
  }
  return auth::sha256(text);
}

// Why the request is none that may use a ticket up.
std::optional<http::Problem> refuse_carrier(const http::Request& request, const Policy& policy) {
  if (request.method != http::Method::kGet) {
    return malformed(kTicket, "Only a GET opens the stream of a ticket.");
  }
  if (stream_wish(request) != StreamWish::kNamed) {
    return http::Problem{.status = 406,
                         .title = "stream not accepted",
                         .field = "Accept",
                         .detail = "It has to name text/event-stream."};
  }
  // Of several fields each counts.
  const bool is_by_script =
      std::all_of(request.fields.begin(), request.fields.end(), [](const http::Field& field) {
        return !http::iequals(field.name, "Sec-Fetch-Mode") || field.value == "cors";
      });
  if (!is_by_script) {
    return http::Problem{.status = 403,
                         .title = "not a request for a stream",
                         .field = "Sec-Fetch-Mode",
                         .detail = "The stream of a ticket is opened by EventSource or fetch."};
  }
  if (auto refused = refuse_foreign_page(request, policy)) {
    return refused;
  }
  // Source: RFC 8470 5.1: several fields, and any other value, count as 1.
  if (request.field("Early-Data")) {
    return http::Problem{.status = 425, .title = "too early", .field = "Early-Data"};
  }
  if (request.field("Authorization")) {
    return malformed("Authorization", "A ticket comes without a token.");
  }
  return std::nullopt;
}

}  // namespace

boost::system::result<TicketWish, http::Problem> read_ticket_wish(const http::Request& request,
                                                                  const Policy& policy,
                                                                  base::TopicPatterns& patterns) {
  if (auto refused = refuse_body_type(request)) {
    return *std::move(refused);
  }
  const std::size_t bytes_max = policy.request_limits.head_bytes_max;
  if (request.body.size() > bytes_max) {
    return malformed("", fmt::format("The form has at most {} bytes.", bytes_max), 413);
  }
  TicketWish wish;
  http::FormReader reader(request.body);
  while (const auto pair = reader.next()) {
    if (auto refused = read_pair(*pair, wish)) {
      return *std::move(refused);
    }
  }
  if (auto query = read_stream_query(wish.query, std::nullopt, policy, patterns); !query) {
    return std::move(query.error());
  }
  return wish;
}

std::optional<http::Problem> refuse_minting_page(const http::Request& request,
                                                 const Policy& policy) {
  if (!request.field("Origin")) {
    return http::Problem{.status = 403,
                         .title = "origin missing",
                         .field = "Origin",
                         .detail = "With a cookie it has to say which page it comes from."};
  }
  return refuse_foreign_page(request, policy);
}

bool has_ticket(std::string_view query) {
  http::FormReader reader(query);
  std::string buffer;
  while (const auto pair = reader.next()) {
    if (http::form_decode(pair->name, buffer) == kTicket) {
      return true;
    }
  }
  return false;
}

boost::system::result<TicketRequest, http::Problem> read_ticket_request(
    const http::Request& request, const Policy& policy) {
  if (auto refused = refuse_carrier(request, policy)) {
    return *std::move(refused);
  }
  std::optional<std::string> ticket;
  http::FormReader reader(request.query);
  std::string buffer;
  while (const auto pair = reader.next()) {
    const std::string_view name = http::form_decode(pair->name, buffer);
    if (is_selector_name(name) || name == "authorization") {
      return malformed(name, "A ticket says by itself which stream it opens.");
    }
    if (name == kTicket) {
      if (ticket) {
        return malformed(kTicket, "There is one ticket.");
      }
      ticket = http::form_decode(pair->value);
    }
  }
  auto cursor = read_cursor(request);
  if (!cursor) {
    return std::move(cursor.error());
  }
  TicketRequest wanted{.ticket = auth::ticket_hash(ticket.value_or("")),
                       .fingerprint = fingerprint_of(request)};
  wanted.cursor = *std::move(cursor);
  // A proof that was in a URL proves nothing.
  wanted.proof = auth::split_proof(request.field("Last-Event-ID").value_or("")).proof;
  return wanted;
}

}  // namespace vrelo::api
