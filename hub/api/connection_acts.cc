// SPDX-License-Identifier: Apache-2.0
//
// What a connection does with a request.
#include <cassert>
#include <exception>
#include <utility>

#include <fmt/format.h>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "hub/api/connection.h"
#include "hub/api/cors.h"
#include "hub/api/explanation.h"
#include "hub/api/front.h"
#include "hub/api/host.h"
#include "hub/api/presented_tokens.h"
#include "hub/api/publish_request.h"
#include "hub/api/revocation_request.h"
#include "hub/api/subscribe_request.h"
#include "hub/api/ticket_request.h"
#include "hub/auth/errc.h"
#include "hub/subscribe.h"

namespace vrelo::api {
namespace {

// How many publishes of one connection may be on their way at once, and how large those may be that
// one more joins.
constexpr std::size_t kPublishesMax = 256;
constexpr std::size_t kPublishBytesMax = std::size_t{1} << 20;

// What one takes besides its body.
constexpr std::size_t kPublishBytes = 2048;

// How long a Host may be that need not be looked at again. Longer than any name (RFC 1035 2.3.4).
constexpr std::size_t kHostBytesKept = 255;

}  // namespace

base::Task<Connection::Next> Connection::handle() {
  const http::Request& request = parser_->request();
  answered_ = true;
  deadline_due_ = true;
  front_.parts_.metrics.requests.add();
  const Route route = api::route(request, listener_, *policy_);
  if (route.act != Act::kPublish) {
    co_await finish_publishes();  // the answers keep the order of their requests
  }
  fields_ = route.act == Act::kOptions ? preflight_fields(request, *policy_)
                                       : cors_fields(request, *policy_);
  // Whoever looks after the hub has to see it then too, or it would be restarted for being in use.
  // And a page whose preflight is refused does not learn why. A ticket is used up all the same.
  const bool is_administrators = route.act == Act::kShow || route.act == Act::kRevoke;
  const bool is_by_ticket = route.act == Act::kSubscribe && has_ticket(request.query);
  if (!admitted_ && !is_administrators && !is_by_ticket && route.act != Act::kOptions) {
    co_return refuse_for_now(obstacle(admitted_.error()), route);
  }
  if (request.host != host_) {
    if (const auto problem = refuse_host(request, *policy_)) {
      co_await finish_publishes();
      co_return refuse(*problem);
    }
    if (request.host.size() <= kHostBytesKept) {
      host_ = request.host;
    }
  }
  co_return co_await act(route);
}

// Not a coroutine: it hands on that of what there is to do.
base::Task<Connection::Next> Connection::act(const Route& route) {
  switch (route.act) {
    case Act::kPublish:
      return publish();
    case Act::kSubscribe:
      return has_ticket(parser_->request().query) ? redeem(route) : subscribe(route);
    case Act::kMint:
      return mint();
    case Act::kRevoke:
      return revoke();
    case Act::kShow:
    case Act::kOptions:
    case Act::kNotFound:
    case Act::kNotAllowed:
      break;
  }
  return answer(route);
}

base::Task<Connection::Next> Connection::answer(const Route& route) {
  if (route.act == Act::kShow) {
    co_await show(route.endpoint);
  } else if (route.act == Act::kOptions) {
    append_options(out_, framing(), fields_, route.endpoint);
  } else if (route.act == Act::kNotFound) {
    append_not_found(out_, framing(), fields_);
  } else {
    append_not_allowed(out_, framing(), fields_, route.endpoint);
  }
  co_return after_answer();
}

base::Task<void> Connection::show(Endpoint endpoint) {
  switch (endpoint) {
    case Endpoint::kHealth:
      append_text(out_, framing(), "ok\n");
      break;
    case Endpoint::kReady:
      // A hub that takes publishes is ready: balancers would refuse them for it otherwise.
      if (!front_.takes_publishes() || front_.is_log_away()) {
        // Whoever asks does so every few seconds: neither a line nor a count each time.
        append_obstacle(out_, framing(), fields_,
                        front_.takes_publishes() ? Obstacle::kLogAway : Obstacle::kDrain,
                        front_.parts_.fan_out.jittered_retry());
      } else {
        append_text(out_, framing(), "ready\n");
      }
      break;
    case Endpoint::kMetadata:
      append_metadata(out_, framing(), fields_, policy_->metadata);
      break;
    default:
      co_await show_administrator(endpoint);
      break;
  }
}

base::Task<void> Connection::show_administrator(Endpoint endpoint) {
  if (const auto may = co_await authorize(auth::Role::kAdmin); !may) {
    refuse(may.error());
    co_return;
  }
  if (endpoint == Endpoint::kMetrics) {
    append_metrics(out_, framing(), front_.parts_.overview.metrics());
    co_return;
  }
  if (endpoint == Endpoint::kRevocations) {
    append_json(out_, framing(), revocations_json(*policy_->trust));
    co_return;
  }
  assert(endpoint == Endpoint::kExplanation);
  co_await explain();
}

// Waits for a key as the request would that is explained.
base::Task<void> Connection::explain() {
  const http::Request& request = parser_->request();
  // The policy that the authenticator has, which may be newer than the connection's.
  const auto parts = [this](const Policy& policy) {
    return ExplainParts{.policy = policy,
                        .authenticator = front_.authenticator_ ? &*front_.authenticator_ : nullptr,
                        .patterns = front_.parts_.patterns,
                        .clock = front_.parts_.clock};
  };
  auto wanted = keys_of_explained(request, parts(*front_.policy_));
  if (!wanted.sources.empty()) {
    co_await key_comes(std::move(wanted));
  }
  const auto explained = api::explain(request, parts(*front_.policy_));
  if (explained) {
    append_json(out_, framing(), *explained);
  } else {
    refuse(explained.error());
  }
}

base::Task<Connection::Next> Connection::publish() {
  const http::Request& request = parser_->request();
  auth::KeysWanted wanted;
  Authorized may =
      authorize_at_once(auth::Role::kPublish, Tokens::kAll, refuse_page_with_cookie, wanted);
  // Without a coroutine of its own: nearly always there is nothing to wait for.
  if (!wanted.sources.empty() && co_await key_comes(std::move(wanted))) {
    wanted = {};
    may = authorize_at_once(auth::Role::kPublish, Tokens::kAll, refuse_page_with_cookie, wanted);
  }
  std::optional<http::Problem> problem =
      may ? refuse_publisher(request, *policy_, may->channel) : std::move(may.error());
  Obstacle obstacle = Obstacle::kDrain;
  if (!problem) {
    auto event = read_publish(request, *policy_);
    if (event && front_.takes_publishes()) {
      if (may->publish(event->topics, front_.parts_.clock.steady())) {
        co_return co_await start_publish(*std::move(event), std::move(may->grant));
      }
      obstacle = Obstacle::kTooManyPublishes;
    }
    if (!event) {
      problem = std::move(event.error());
    }
  }
  co_await finish_publishes();
  co_return problem ? refuse(*problem) : refuse_for_now(obstacle, {});
}

base::Task<Connection::Next> Connection::start_publish(log::Event event, auth::GrantPtr grant) {
  if (publishes_.size() == kPublishesMax || publish_bytes_ > kPublishBytesMax || holds_too_much()) {
    co_await finish_publishes();
  }
  publishes_.push_back(
      {.framing = framing(), .fields = std::move(fields_), .begin = front_.parts_.clock.steady()});
  publish_bytes_ += parser_->request().body.size() + kPublishBytes;
  count_held();
  Publish& started = publishes_.back();
  const bool keep_alive = started.framing.keep_alive;
  if (publishes_.size() == 1 && parser_->unread().empty()) {
    // The usual case, without a coroutine of its own: the sender waits for the answer.
    started.result = co_await vrelo::publish(front_.parts_.log, *grant, std::move(event));
  } else {
    ++pending_;
    boost::asio::co_spawn(front_.parts_.executor,
                          run_publish(started, std::move(event), std::move(grant)),
                          [](const std::exception_ptr& error) { assert(error == nullptr); });
  }
  if (pending_ == 0) {
    answer_publishes();
  } else if (!keep_alive) {
    co_await finish_publishes();
  }
  co_return keep_alive ? Next::kGoOn : Next::kClose;
}

base::Task<void> Connection::run_publish(Publish& publish, log::Event event, auth::GrantPtr grant) {
  publish.result = co_await vrelo::publish(front_.parts_.log, *grant, std::move(event));
  if (--pending_ == 0 && all_published_) {
    all_published_->cancel();
  }
}

// Waits for all publishes that were started, and answers them.
base::Task<void> Connection::finish_publishes() {
  while (pending_ > 0) {
    all_published_.emplace(front_.parts_.executor, Timer::time_point::max());
    boost::system::error_code cancelled;
    co_await all_published_->async_wait(
        boost::asio::redirect_error(boost::asio::use_awaitable_t<base::Executor>(), cancelled));
  }
  answer_publishes();
}

void Connection::answer_publishes() {
  assert(pending_ == 0);
  all_published_.reset();
  for (const Publish& publish : publishes_) {
    answer(publish);
  }
  publishes_.clear();
  publish_bytes_ = 0;
}

void Connection::answer(const Publish& publish) {
  const boost::system::result<Published>& result = *publish.result;
  base::ShardMetrics& metrics = front_.parts_.metrics;
  if (result) {
    front_.log_away_at_.reset();
    (result->is_new ? metrics.publishes_new : metrics.publishes_repeated).add();
    metrics.publish_time.add(front_.parts_.clock.steady() - publish.begin);
    http::append_published(out_, publish.framing, result->id, publish.fields);
    return;
  }
  if (result.error() == Errc::kNotGranted) {
    const http::Problem problem = not_granted(policy_->metadata_url);
    note_refusal(problem);
    http::append_problem(out_, publish.framing, problem, publish.fields);
    return;
  }
  const Obstacle why = obstacle(result.error());
  front_.log_away_at_.reset();
  if (why == Obstacle::kLogAway) {
    front_.log_away_at_ = front_.parts_.clock.steady();
  }
  note_refusal(problem(why));
  append_obstacle(out_, publish.framing, publish.fields, why,
                  front_.parts_.fan_out.jittered_retry());
}

base::Task<Connection::Next> Connection::subscribe(const Route& route) {
  auto wanted = read_subscribe(parser_->request(), *policy_, front_.parts_.patterns);
  if (!wanted) {
    co_return refuse(wanted.error());
  }
  auto may = co_await authorize(auth::Role::kSubscribe);
  if (!may) {
    co_return refuse(may.error());
  }
  if (front_.draining_) {
    co_return refuse_for_now(Obstacle::kDrain, route);
  }
  auto place = may->open_stream();
  if (!place) {
    co_return refuse_for_now(Obstacle::kTooManyStreams, route);
  }
  Subscription subscription{.selection = std::move(wanted->selection),
                            .grant = std::move(may->grant),
                            .cursor = std::move(wanted->cursor),
                            .hello = wanted->hello};
  const auto resume = co_await resolve_cursor(front_.parts_.fan_out, subscription);
  if (!resume) {
    front_.log_away_at_ = front_.parts_.clock.steady();
    co_return refuse_for_now(obstacle(resume.error()), route);
  }
  std::string head = stream_head(fields_, wanted->generation, resume->last_event_id);
  if (!wanted->opens_stream) {
    out_ += head;
    co_return Next::kClose;
  }
  // Answers to what was asked before on this connection.
  if (!co_await send() || !socket_.is_open()) {
    co_return Next::kGone;
  }
  // While something was waited for, the token may have ended, or a reload may have taken its key
  // away.
  may = co_await authorize(auth::Role::kSubscribe);
  if (!may) {
    co_return refuse(may.error());
  }
  if (front_.draining_) {
    co_return refuse_for_now(Obstacle::kDrain, route);
  }
  subscription.grant = may->grant;
  if (front_.policy_->trust != policy_->trust) {
    place.reset();
    place = may->open_stream();
    if (!place) {
      co_return refuse_for_now(Obstacle::kTooManyStreams, route);
    }
  }
  const int fd = socket_.release();
  front_.parts_.streams.keep(
      fd, std::move(*admitted_),
      front_.rights_.make(fd, may->token, *std::move(place), policy_->stream_lifetime));
  open_stream(front_.parts_.fan_out, fd, subscription, *resume, std::move(head));
  co_return Next::kGone;
}

Connection::Next Connection::refuse(const http::Problem& problem) {
  note_refusal(problem);
  http::append_problem(out_, framing(), problem, fields_);
  return after_answer();
}

// Refuses a request that was not read to its end; a page may read why.
Connection::Next Connection::refuse_unread(const http::Problem& problem) {
  finishing_ = true;
  fields_ = cors_fields(parser_->request(), *policy_);
  return refuse(problem);
}

Connection::Next Connection::refuse_unread_for_now(Obstacle obstacle) {
  finishing_ = true;
  fields_ = cors_fields(parser_->request(), *policy_);
  return refuse_for_now(obstacle, {});
}

Connection::Next Connection::refuse_for_now(Obstacle obstacle, const Route& route) {
  note_refusal(problem(obstacle));
  const std::chrono::milliseconds retry = obstacle == Obstacle::kTooManyPublishes
                                              ? std::chrono::seconds(1)
                                              : front_.parts_.fan_out.jittered_retry();
  if (wants_stream(parser_->request(), route)) {
    append_obstacle_stream(out_, framing(), fields_, obstacle, retry);
  } else {
    append_obstacle(out_, framing(), fields_, obstacle, retry);
  }
  return after_answer();
}

void Connection::note_refusal(const http::Problem& problem) {
  front_.parts_.metrics.refusals.add(problem.title);
  std::string detail = peer_.address().to_string();
  for (const std::string* const part : {&problem.field, &problem.detail, &problem.log_detail}) {
    detail += part->empty() ? "" : ": " + *part;
  }
  front_.parts_.logger.refused(problem.title, detail);
}

http::Framing Connection::framing() const {
  http::Framing framing = http::Framing::of(parser_->request());
  framing.keep_alive = framing.keep_alive && admitted_ && !finishing_;
  return framing;
}

Connection::Next Connection::after_answer() const {
  return framing().keep_alive ? Next::kGoOn : Next::kClose;
}

}  // namespace vrelo::api
