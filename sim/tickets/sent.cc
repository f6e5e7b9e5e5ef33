// SPDX-License-Identifier: Apache-2.0
#include "sim/tickets/sent.h"

#include "hub/auth/ticket.h"
#include "hub/http/request.h"

namespace vrelo::sim::tickets {
namespace {

const std::string& text() {
  static const std::string text = auth::ticket_text(auth::Digest{1});
  return text;
}

}  // namespace

const auth::TicketHash& the_ticket() {
  static const auth::TicketHash hash = *auth::ticket_hash(text());
  return hash;
}

std::optional<api::TicketRequest> read_sent(Who who, const std::string& proof, Flaw flaw) {
  const std::string query = "ticket=" + text();
  const std::string id = flaw == Flaw::kCursor ? "\xff" : "id" + proof;
  http::Request request{.method = flaw == Flaw::kMethod ? http::Method::kHead : http::Method::kGet,
                        .path = api::kHubPath,
                        .query = query,
                        .host = "localhost"};
  request.fields = {{"Accept", flaw == Flaw::kAccept ? "*/*" : "text/event-stream"},
                    {"Sec-Fetch-Mode", flaw == Flaw::kMode ? "navigate" : "cors"},
                    {"User-Agent", who == kThief        ? "thief"
                                   : who == kProofThief ? "proof thief"
                                                        : "owner"}};
  if (flaw == Flaw::kToken) {
    request.fields.push_back({"Authorization", "Bearer token"});
  }
  if (!proof.empty() || flaw == Flaw::kCursor) {
    request.fields.push_back({"Last-Event-ID", id});
  }
  static const api::Policy policy;
  auto wanted = api::read_ticket_request(request, policy);
  return wanted ? std::optional(*std::move(wanted)) : std::nullopt;
}

}  // namespace vrelo::sim::tickets
