// SPDX-License-Identifier: Apache-2.0
//
// What a connection does about what is revoked.
#include <utility>

#include "hub/api/connection.h"
#include "hub/api/connection_ask.h"
#include "hub/api/front.h"
#include "hub/api/revocation_request.h"

namespace vrelo::api {

base::Task<Connection::Next> Connection::revoke() {
  if (const auto may = co_await authorize(auth::Role::kAdmin); !may) {
    co_return refuse(may.error());
  }
  const auth::NumericDate now = front_.parts_.clock.wall().time_since_epoch();
  auto revocation = read_revocation(parser_->request(), *policy_->trust, now);
  if (!revocation) {
    co_return refuse(revocation.error());
  }
  if (revocation->kind == auth::Revocation::Kind::kSession) {
    co_return co_await end_session(*revocation);
  }
  if (revocation->kind == auth::Revocation::Kind::kLabel) {
    // Tickets are minted by the store's clock, tokens are issued by the time of day.
    const auth::NumericDate ahead = auth::NumericDate(front_.parts_.tickets.now()) - now;
    revocation->at += ahead;
    revocation->until += revocation->until > auth::NumericDate(0) ? ahead : auth::NumericDate(0);
  }
  const auto revoked = co_await ask<boost::system::result<void>>([this, &revocation](auto done) {
    front_.parts_.overview.revoke(*revocation, front_.parts_.executor, std::move(done));
  });
  if (!revoked) {
    co_return Next::kGone;  // the node ends
  }
  if (!*revoked) {
    front_.parts_.logger.limited(base::LogLevel::kError, "a revocation was not kept",
                                 revoked->error().message());
    co_return refuse(not_revoked(revoked->error()));
  }
  append_json(out_, framing(), revocation_json(*revocation));
  co_return after_answer();
}

base::Task<Connection::Next> Connection::end_session(const auth::Revocation& revocation) {
  using SessionEnd = auth::TicketOffice::SessionEnd;
  const auto ended = co_await ask<SessionEnd>([this, &revocation](auto done) {
    front_.parts_.tickets.end_session(revocation.name, std::move(done));
  });
  if (!ended) {
    co_return Next::kGone;
  }
  switch (*ended) {
    case SessionEnd::kEnded:
      append_json(out_, framing(), revocation_json(revocation));
      break;
    case SessionEnd::kUnknown:
      co_return refuse({.status = 404,
                        .title = "no such session",
                        .field = "session",
                        .detail = "It is not known, or has ended."});
    case SessionEnd::kNotKept:
      co_return refuse(problem(Obstacle::kTicketsAway));
  }
  co_return after_answer();
}

}  // namespace vrelo::api
