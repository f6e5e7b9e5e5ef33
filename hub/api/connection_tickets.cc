// SPDX-License-Identifier: Apache-2.0
//
// What a connection does about tickets.
#include <algorithm>
#include <chrono>
#include <utility>
#include <variant>

#include <fmt/format.h>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include "hub/api/connection.h"
#include "hub/api/connection_ask.h"
#include "hub/api/front.h"
#include "hub/api/subscribe_request.h"
#include "hub/api/ticket_request.h"
#include "hub/auth/errc.h"
#include "hub/net/tcp.h"
#include "hub/subscribe.h"

namespace vrelo::api {
namespace {

using auth::TicketBook;
using auth::TicketOffice;
using auth::TicketTermsPtr;

std::string_view text_of(TicketBook::Refusal refusal) {
  switch (refusal) {
    case TicketBook::Refusal::kUnknown:
      return "it is unknown, or its time or its session is over";
    case TicketBook::Refusal::kOtherEpoch:
      return "it is of another epoch of the log";
    case TicketBook::Refusal::kUsed:
      return "it was used";
    case TicketBook::Refusal::kCopied:
      return "two clients have its proof; the session has ended";
  }
  return "";
}

std::int64_t seconds_of(std::chrono::milliseconds duration) {
  return std::chrono::floor<std::chrono::seconds>(duration).count();
}

// The request's cursor goes before the one that was minted with its ticket, but not an empty one.
// Source: mercure.md R19.
std::optional<std::string> cursor_of(const std::optional<std::string>& request,
                                     const std::optional<std::string>& minted) {
  const bool is_empty = !request || request->empty();
  return is_empty && minted ? minted : request;
}

}  // namespace

// What the answer to a POST needs besides the office's.
struct MintedTicket {
  std::string text;
  std::string session;
};

// What a ticket stands for, as of now.
struct Connection::Claimed {
  StreamQuery query;
  auth::Authorization authorization;
};

// A ticket that is about to be redeemed, and what its stream will be.
struct Connection::Redemption {
  auth::TicketHash ticket;
  TicketTermsPtr terms;
  Subscription subscription;
  Generation generation;
  Resume resume;
  std::optional<auth::Quota::Place> place;  // nullopt: its subject has too many streams
  bool stays = false;                       // false: the stream ends after its first block
};

base::Task<Connection::Next> Connection::mint() {
  const auto may =
      co_await authorize(auth::Role::kSubscribe, Tokens::kNoQuery, refuse_minting_page);
  if (!may) {
    co_return refuse(may.error());
  }
  if (may->token == nullptr) {
    co_return refuse(
        unauthorized(make_error_code(auth::Errc::kTokenMissing), policy_->metadata_url));
  }
  auto wish = read_ticket_wish(parser_->request(), *policy_, front_.parts_.patterns);
  if (!wish) {
    co_return refuse(wish.error());
  }
  const auth::VerifiedToken& token = *may->token;
  const MintedTicket ticket{.text = auth::ticket_text(auth::random_digest()),
                            .session = auth::session_name(auth::random_digest())};
  TicketBook::Order order{.hash = *auth::ticket_hash(ticket.text),
                          .terms = std::make_shared<const auth::TicketTerms>(
                              auth::TicketTerms{.query = std::move(wish->query),
                                                .session = ticket.session,
                                                .label = std::move(wish->label),
                                                .issuer = token.issuer_name,
                                                .claims = auth::reader_claims(token.claims),
                                                .kid = token.kid,
                                                .key_print = token.key->print(),
                                                .minted_at = front_.parts_.tickets.now(),
                                                .epoch = front_.parts_.log.end().epoch}),
                          .ttl = wish->ttl,
                          .minted_max = may->limits.tickets_per_minute,
                          .unused_max = may->limits.tickets_unused};
  if (token.claims.expires) {
    // As a time and not as a duration, for the office may be busy.
    order.token_end = front_.parts_.tickets.when(*token.claims.expires);
  }
  const auto minted = co_await ask<TicketOffice::Minted>(
      [this, &order](auto done) { front_.parts_.tickets.mint(order, std::move(done)); });
  if (!minted) {
    co_return Next::kGone;
  }
  if (std::holds_alternative<TicketBook::TokenOver>(*minted)) {
    co_return refuse(unauthorized(make_error_code(auth::Errc::kExpired), policy_->metadata_url));
  }
  answer(*minted, ticket);
  co_return after_answer();
}

void Connection::answer(const TicketOffice::Minted& minted, const MintedTicket& ticket) {
  if (const auto* const good = std::get_if<TicketBook::Minted>(&minted)) {
    front_.parts_.metrics.tickets_minted.add();
    boost::json::object document{{"ticket", ticket.text},
                                 {"session", ticket.session},
                                 {"expires_in", seconds_of(good->expires_in)},
                                 {"session_expires_in", seconds_of(good->session_expires_in)}};
    if (!policy_->public_url.empty()) {
      document["url"] = fmt::format("{}?ticket={}", policy_->public_url, ticket.text);
    }
    append_minted(out_, framing(), fields_, boost::json::serialize(document));
    return;
  }
  const auto* const too_many = std::get_if<TicketBook::TooMany>(&minted);
  const Obstacle why = too_many != nullptr ? Obstacle::kTooManyTickets
                       : std::holds_alternative<TicketBook::Full>(minted) ? Obstacle::kTicketsFull
                                                                          : Obstacle::kTicketsAway;
  note_refusal(problem(why));
  append_obstacle(out_, framing(), fields_, why,
                  too_many != nullptr && too_many->retry ? *too_many->retry
                                                         : front_.parts_.fan_out.jittered_retry());
}

base::Task<Connection::Next> Connection::redeem(const Route& route) {
  const auto wanted = read_ticket_request(parser_->request(), *policy_);
  if (!wanted) {
    co_return refuse(wanted.error());
  }
  const auto& ticket = wanted->ticket;
  if (!ticket || policy_->trust == nullptr) {
    co_return refuse_ticket(ticket, "it has not the form of a ticket, or there are none");
  }
  const auto found = co_await ask<TicketTermsPtr>(
      [this, &ticket](auto done) { front_.parts_.tickets.find(*ticket, std::move(done)); });
  if (!found) {
    co_return Next::kGone;
  }
  if (*found == nullptr) {
    co_return refuse_ticket(ticket, text_of(TicketBook::Refusal::kUnknown));
  }
  auto claimed = co_await claim_when_key_comes(*found);
  if (!claimed) {
    co_return lacks_key(**found) ? refuse_for_now(Obstacle::kKeysAway, route)
                                 : refuse_ticket(ticket, claimed.error());
  }
  Redemption redemption{.ticket = *ticket,
                        .terms = *found,
                        .subscription = {.selection = std::move(claimed->query.selection),
                                         .grant = claimed->authorization.grant,
                                         .cursor = cursor_of(wanted->cursor, claimed->query.cursor),
                                         .hello = fanout::Hello::kNamed},
                        .generation = claimed->query.generation,
                        .resume = {},
                        .place = claimed->authorization.open_stream()};
  auto resume = co_await resolve_cursor(front_.parts_.fan_out, redemption.subscription);
  if (!resume) {
    front_.log_away_at_ = front_.parts_.clock.steady();
    co_return refuse_for_now(obstacle(resume.error()), route);
  }
  redemption.resume = *std::move(resume);
  // Answers to what was asked before on this connection.
  if (!co_await send() || !socket_.is_open()) {
    co_return Next::kGone;
  }
  co_return co_await redeem_last(route, redemption, wanted->proof, wanted->fingerprint);
}

// The last check of all.
base::Task<Connection::Next> Connection::redeem_last(const Route& route,
                                                     Redemption& redemption,
                                                     const std::string& proof,
                                                     const auth::Digest& fingerprint) {
  const StreamRights::Applicant applicant(front_.rights_, redemption.ticket);
  redemption.stays = admitted_ && redemption.place && !front_.draining_;
  TicketBook::Attempt attempt{
      .hash = redemption.ticket,
      .epoch = front_.parts_.log.end().epoch,
      .proof = proof,
      .request = fingerprint,
      .secret = auth::random_digest(),
      .shard = redemption.stays ? std::optional(front_.parts_.shard) : std::nullopt};
  const auto redeemed = co_await apply(std::move(attempt));
  if (!redeemed) {
    co_return Next::kGone;
  }
  if (const auto* const refused = std::get_if<TicketBook::Refused>(&*redeemed)) {
    if (refused->why == TicketBook::Refusal::kCopied) {
      front_.parts_.metrics.sessions_copied.add();
      // By a reason of its own, or a flood of unknown tickets would hide it.
      note_refused_ticket(base::LogLevel::kWarning, "session copied", redemption.ticket,
                          text_of(refused->why));
      co_return answer_refused_ticket();
    }
    co_return refuse_ticket(redemption.ticket, text_of(refused->why));
  }
  const auto* const opened = std::get_if<TicketBook::Opened>(&*redeemed);
  if (opened == nullptr) {
    co_return refuse_for_now(Obstacle::kTicketsAway, route);
  }
  base::ShardMetrics& metrics = front_.parts_.metrics;
  (opened->is_first ? metrics.tickets_redeemed : metrics.sessions_resumed).add();
  SessionSeat seat(front_.parts_.tickets, redemption.ticket, opened->turn);
  if (applicant.is_closed(opened->turn) || !socket_.is_open()) {
    co_return Next::kGone;
  }
  co_return open_session(route, redemption, *opened, std::move(seat));
}

// Nothing waits in here, so that the stream is there when somebody asks for it.
Connection::Next Connection::open_session(const Route& route,
                                          Redemption& redemption,
                                          const TicketBook::Opened& opened,
                                          SessionSeat seat) {
  // While something was waited for, a reload may have taken the key away. Where it is to come,
  // so may the client, by grace or its proof.
  const auto claimed = claim(redemption.terms);
  if (!claimed) {
    return lacks_key(*redemption.terms) ? refuse_for_now(Obstacle::kKeysAway, route)
                                        : refuse_ticket(redemption.ticket, claimed.error());
  }
  // The disk may have been slow.
  if (front_.parts_.tickets.now() >= opened.end) {
    return refuse_ticket(redemption.ticket, text_of(TicketBook::Refusal::kUnknown));
  }
  Subscription& subscription = redemption.subscription;
  subscription.grant = claimed->authorization.grant;
  subscription.id_suffix = opened.proof;
  std::string head = stream_head(fields_, redemption.generation, redemption.resume.last_event_id);
  if (!redemption.stays) {
    note_refusal(problem(!admitted_          ? obstacle(admitted_.error())
                         : !redemption.place ? Obstacle::kTooManyStreams
                                             : Obstacle::kDrain));
    out_ += short_stream(front_.parts_.fan_out, subscription, redemption.resume, std::move(head));
    return Next::kClose;
  }
  const int fd = socket_.release();
  const auto delivery = net::ask_delivery(fd);
  SessionStream session{.seat = std::move(seat),
                        .place = *std::move(redemption.place),
                        .terms = redemption.terms,
                        .end = front_.parts_.tickets.steady_at(opened.end)};
  front_.parts_.streams.keep(fd, std::move(*admitted_),
                             front_.rights_.make(fd, std::move(session), policy_->stream_lifetime));
  const std::size_t first_block =
      open_stream(front_.parts_.fan_out, fd, subscription, redemption.resume, std::move(head));
  if (delivery) {
    front_.rights_.set_first_block_end(redemption.ticket, opened.turn,
                                       delivery->written() + first_block);
  }
  return Next::kGone;
}

// Asks the office, and where it has to know, the shard that has the session's connection.
base::Task<std::optional<TicketOffice::Redeemed>> Connection::apply(TicketBook::Attempt attempt) {
  constexpr int kTries = 8;  // as often as another request may have been faster
  // A proxy that repeats a request may be faster than the end of the connection that it gave up.
  constexpr std::chrono::milliseconds kPatience{100};
  bool was_patient = false;
  std::optional<TicketOffice::Redeemed> redeemed;
  for (int tries = 0; tries < kTries; ++tries) {
    redeemed = co_await ask<TicketOffice::Redeemed>(
        [this, &attempt](auto done) { front_.parts_.tickets.redeem(attempt, std::move(done)); });
    const auto* const question = redeemed ? std::get_if<TicketBook::Ask>(&*redeemed) : nullptr;
    if (question == nullptr) {
      co_return redeemed;
    }
    const TicketBook::Holder holder = question->holder;
    const auto acknowledged = co_await ask<bool>([this, &attempt, holder](auto done) {
      front_.parts_.overview.ask_acknowledged(attempt.hash, holder, std::move(done));
    });
    if (!acknowledged) {
      co_return std::nullopt;
    }
    if (!*acknowledged) {
      attempt.unacknowledged = holder.turn;
    } else if (std::exchange(was_patient, true)) {
      break;
    } else {
      co_await pause(kPatience);
    }
  }
  co_return TicketBook::Refused{.why = TicketBook::Refusal::kUsed};
}

base::Task<void> Connection::pause(std::chrono::milliseconds duration) {
  Timer timer(front_.parts_.executor, duration);
  asking_ = &timer;
  boost::system::error_code cancelled;
  co_await timer.async_wait(
      boost::asio::redirect_error(boost::asio::use_awaitable_t<base::Executor>(), cancelled));
  asking_ = nullptr;
}

// Finds out which stream the ticket opens, or why none.
Connection::Claim Connection::claim(const TicketTermsPtr& terms) {
  const auto& trust = front_.policy_->trust;
  const auto token =
      trust == nullptr
          ? std::nullopt
          : auth::token_of(*terms, *trust, front_.parts_.clock.wall().time_since_epoch());
  if (!token) {
    return std::string_view("its token, or its label, was revoked, or the key is gone");
  }
  auto authorization = front_.authenticator_->authorize(*token);
  auto query =
      read_stream_query(terms->query, std::nullopt, *front_.policy_, front_.parts_.patterns);
  if (!authorization || !query) {
    return std::string_view("its stream is none that the hub serves by now");
  }
  return Claimed{.query = *std::move(query), .authorization = *std::move(authorization)};
}

// After a restart sessions come back before the keys that issuers publish do.
base::Task<Connection::Claim> Connection::claim_when_key_comes(TicketTermsPtr terms) {
  Claim claimed = claim(terms);
  const auto& trust = front_.policy_->trust;
  if (!claimed && trust != nullptr) {
    auth::KeysWanted wanted = auth::keys_wanted(*terms, *trust);
    if (!wanted.sources.empty() && co_await key_comes(std::move(wanted))) {
      claimed = claim(terms);
    }
  }
  co_return claimed;
}

bool Connection::lacks_key(const auth::TicketTerms& terms) const {
  const auto& trust = front_.policy_->trust;
  return trust != nullptr && auth::lacks_key(terms, *trust);
}

// Whatever is wrong with it, its sender learns the same.
Connection::Next Connection::refuse_ticket(const std::optional<auth::TicketHash>& ticket,
                                           std::string_view why) {
  note_refused_ticket(base::LogLevel::kInfo, "ticket refused", ticket, why);
  return answer_refused_ticket();
}

void Connection::note_refused_ticket(base::LogLevel level,
                                     std::string_view reason,
                                     const std::optional<auth::TicketHash>& ticket,
                                     std::string_view why) {
  front_.parts_.logger.limited(level, reason,
                               fmt::format("{}: {}{}", peer_.address().to_string(),
                                           ticket ? auth::ticket_name(*ticket) + ": " : "", why));
}

Connection::Next Connection::answer_refused_ticket() {
  const http::Problem problem = ticket_refused(policy_->metadata_url);
  front_.parts_.metrics.refusals.add(problem.title);
  http::append_problem(out_, framing(), problem, fields_);
  return after_answer();
}

}  // namespace vrelo::api
