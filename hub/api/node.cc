// SPDX-License-Identifier: Apache-2.0
#include "hub/api/node.h"

#include <algorithm>
#include <cassert>
#include <exception>
#include <thread>
#include <utility>

#include <fmt/format.h>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "hub/api/metrics_page.h"
#include "hub/base/random.h"
#include "hub/net/acceptor.h"
#include "hub/net/asio_alarm.h"
#include "hub/net/epoll_streams.h"
#include "hub/net/shard.h"

namespace vrelo::api {
namespace {

using std::chrono_literals::operator""ms;

// How many connections are turned away at the same time, of all shards and of each listener: less
// than the descriptors that base::connections_max() keeps.
constexpr std::size_t kTurnedAwayMax = 96;

base::Admission::Limits admission_limits(const base::Settings& settings, std::size_t files_max) {
  return {.connections_max = base::connections_max(settings, files_max),
          .per_address_max = settings.connections_per_address};
}

auth::TicketLimits ticket_limits(const base::Settings& settings) {
  return {.minted_max = settings.tickets_per_minute,
          .unused_max = settings.tickets_unused,
          .session = settings.ticket_session,
          .grace = settings.ticket_grace,
          .bytes_max = settings.tickets_bytes};
}

fanout::FanOutLimits fan_out_limits(const base::Settings& settings) {
  return {.heartbeat = settings.heartbeat, .retry = settings.retry};
}

bool all_on_loopback(const std::vector<net::Listener>& listeners) {
  return std::ranges::all_of(listeners, [](const net::Listener& listener) {
    return listener.endpoint().address().is_loopback();
  });
}

// Everyone may publish and read what is public.
auth::GrantPtr anonymous_grant() {
  return std::make_shared<const auth::Grant>(auth::Grant{.publish = {.all = true}});
}

// What topics and patterns are references from: the hub's URL, as far as it is known.
std::shared_ptr<const base::UrlBase> base_of_topics(const base::Settings& settings) {
  const auto base = base::UrlBase::make(public_url(settings));
  return base ? base : base::UrlBase::make("http://localhost" + settings.path);
}

base::Task<void> pause(base::Executor executor) {
  boost::asio::basic_waitable_timer<std::chrono::steady_clock,
                                    boost::asio::wait_traits<std::chrono::steady_clock>,
                                    base::Executor>
      timer(executor, 250ms);
  boost::system::error_code cancelled;
  co_await timer.async_wait(
      boost::asio::redirect_error(boost::asio::use_awaitable_t<base::Executor>(), cancelled));
}

}  // namespace

std::size_t shard_count(const base::Settings& settings) {
  if (settings.shards != 0) {
    return settings.shards;
  }
  return std::max<std::size_t>(std::thread::hardware_concurrency(), 1);
}

// What runs on one shard, in the order of its making.
struct Node::ShardParts {
  ShardParts(Node& node, std::size_t index, auth::GrantPtr grant)
      : loop(index),
        make_alarm(net::asio_alarms(loop.executor())),
        log(node.parts_.store.log(loop.executor())),
        streams(loop.executor()),
        fan_out({.window = node.window_,
                 .shard = index,
                 .log = *log,
                 .sockets = streams,
                 .clock = node.parts_.clock,
                 .make_alarm = make_alarm,
                 .executor = loop.executor(),
                 .seed = node.parts_.seed + index},
                fan_out_limits(node.settings_)),
        front({.executor = loop.executor(),
               .clock = node.parts_.clock,
               .make_alarm = make_alarm,
               .log = *log,
               .fan_out = fan_out,
               .streams = streams,
               .admission = node.admission_,
               .turned_away_max =
                   std::max<std::size_t>(kTurnedAwayMax / shard_count(node.settings_), 1),
               .metrics = metrics,
               .logger = node.parts_.logger,
               .overview = node,
               .tickets = node.tickets_,
               .shard = index,
               .patterns = node.patterns_,
               .quotas = node.quotas_,
               .grant = std::move(grant)},
              node.policy()) {}

  net::Shard loop;
  net::MakeAlarm make_alarm;
  std::unique_ptr<log::Log> log;
  net::EpollStreams streams;
  base::ShardMetrics metrics;
  fanout::FanOut fan_out;
  Front front;
  std::vector<std::unique_ptr<net::Acceptor>> acceptors;
};

Node::Node(NodeParts parts, const base::Settings& settings, base::Executor executor)
    : parts_(std::move(parts)),
      settings_(settings),
      executor_(std::move(executor)),
      local_only_(all_on_loopback(parts_.listeners)),
      revocations_(parts_.revocations, parts_.clock.steady()),
      fetched_keys_(std::in_place, key_parts()),
      configured_trust_(parts_.trust),
      patterns_(base_of_topics(settings)),
      quotas_(parts_.clock),
      admission_(admission_limits(settings, parts_.files_max)),
      window_({base::random_value(), base::random_value()},
              settings.window_bytes,
              shard_count(settings),
              [this](std::size_t shard) { shards_[shard]->fan_out.wake(); }),
      tickets_({.clock = parts_.clock,
                .executor = executor_,
                .kept = std::move(parts_.tickets),
                .limits = ticket_limits(settings),
                .close = [this](const auto& closing) { close_session(closing); },
                .on_trouble =
                    [this](const boost::system::error_code& error) {
                      parts_.logger.limited(base::LogLevel::kError, "tickets cannot be kept",
                                            error.message());
                    }}) {
  assert(!parts_.listeners.empty());
  warn_of_clock();
  set_trust();
  const auth::GrantPtr grant = anonymous_grant();
  for (std::size_t i = 0; i < shard_count(settings); ++i) {
    shards_.push_back(std::make_unique<ShardParts>(*this, i, grant));
  }
}

Node::~Node() {
  stop();
}

void Node::warn_of_clock() const {
  const auto wall = parts_.clock.wall().time_since_epoch();
  const auto behind = std::chrono::floor<std::chrono::seconds>(tickets_.now() - wall);
  if (behind > std::chrono::seconds(2)) {
    parts_.logger.warning(
        "The time of day is {} s behind what it was when tickets were kept last; it may be wrong",
        behind.count());
  }
}

std::shared_ptr<const Policy> Node::policy() const {
  return make_policy(settings_, local_only_, trust_);
}

base::Parsed<void> Node::start() {
  assert(state_ == State::kNew);
  auto shared = net::share_out(std::move(parts_.listeners), shards_.size());
  if (!shared) {
    return shared.error();
  }
  for (std::size_t i = 0; i < shards_.size(); ++i) {
    for (net::Listener& socket : (*shared)[i]) {
      if (auto accepts = accept_on(*shards_[i], std::move(socket), Listener::kMain); !accepts) {
        return accepts;
      }
    }
  }
  ShardParts& first = *shards_.front();
  if (parts_.admin_listener) {
    if (auto accepts = accept_on(first, *std::move(parts_.admin_listener), Listener::kAdmin);
        !accepts) {
      return accepts;
    }
  }
  const base::Executor executor = first.loop.executor();
  boost::asio::co_spawn(executor,
                        window_.follow(*first.log, [executor] { return pause(executor); }),
                        [](const std::exception_ptr& error) { assert(error == nullptr); });
  state_ = State::kRunning;
  for (const auto& shard : shards_) {
    auto started = shard->streams.start(shard->fan_out);
    if (started) {
      started = shard->loop.start();
    }
    if (!started) {
      return base::Fault{"cannot start a shard: " + started.error().message()};
    }
  }
  follow_issuers();
  return {};
}

base::Parsed<void> Node::accept_on(ShardParts& shard, net::Listener socket, Listener listener) {
  const std::string endpoint = base::format_endpoint(socket.endpoint());
  net::Acceptor::Parts parts{
      .executor = shard.loop.executor(),
      .clock = parts_.clock,
      .make_alarm = shard.make_alarm,
      .on_accept =
          [&front = shard.front, listener](int fd, const boost::asio::ip::tcp::endpoint& peer) {
            front.accept(fd, peer, listener);
          },
      .on_trouble =
          [this](const boost::system::error_code& error) {
            parts_.logger.limited(base::LogLevel::kError, "cannot accept", error.message());
          },
      .has_room = [&front = shard.front, listener] { return front.has_room(listener); }};
  shard.acceptors.push_back(std::make_unique<net::Acceptor>(std::move(parts), std::move(socket)));
  if (const auto started = shard.acceptors.back()->start(); !started) {
    return base::Fault{fmt::format("cannot accept at {}: {}", endpoint, started.error().message())};
  }
  return {};
}

void Node::reload(const base::Settings& settings, std::shared_ptr<const auth::TrustPolicy> trust) {
  settings_ = settings;
  configured_trust_ = std::move(trust);
  follow_issuers();
  set_trust();
  admission_.set_limits(admission_limits(settings, parts_.files_max));
  tickets_.set_limits(ticket_limits(settings));
  post_policy();
}

void Node::post_policy() {
  const std::shared_ptr<const Policy> policy = this->policy();
  for (const auto& shard : shards_) {
    boost::asio::post(shard->loop.executor(),
                      [&shard = *shard, policy, limits = fan_out_limits(settings_)] {
                        shard.front.set_policy(policy);
                        shard.fan_out.set_limits(limits);
                      });
  }
}

void Node::revoke(auth::Revocation revocation, base::Executor executor, Revoked done) {
  boost::asio::post(
      executor_, [this, revocation = std::move(revocation), executor, done = std::move(done)] {
        boost::asio::post(executor, [done, result = revoke_here(revocation)] { done(result); });
      });
}

boost::system::result<void> Node::revoke_here(const auth::Revocation& revocation) {
  const base::Clock::Steady now = parts_.clock.steady();
  auth::Revocations more = revocations_.with(revocation, now);
  if (more.size() > auth::kRevocationsMax) {
    return make_error_code(boost::system::errc::no_space_on_device);
  }
  if (parts_.keep_revocation) {
    if (const auto kept = parts_.keep_revocation(revocation, revocations_.over(revocation, now));
        !kept) {
      return kept.error();
    }
  }
  revocations_ = std::move(more);
  set_trust();
  post_policy();
  return {};
}

void Node::close_session(const auth::TicketOffice::Closing& closing) {
  ShardParts& shard = *shards_[closing.holder.shard];
  boost::asio::post(shard.loop.executor(),
                    [&shard, closing] { shard.front.close_session(closing); });
}

void Node::ask_acknowledged(const auth::TicketHash& ticket,
                            auth::TicketBook::Holder holder,
                            std::function<void(bool)> done) {
  ShardParts& shard = *shards_[holder.shard];
  boost::asio::post(shard.loop.executor(), [&shard, ticket, holder, done = std::move(done)] {
    done(shard.front.has_acknowledged(ticket, holder.turn));
  });
}

void Node::drain(Publishes publishes, std::function<void()> done) {
  drain_done_ = std::move(done);
  const bool begins = state_ == State::kRunning;
  assert(begins || (state_ == State::kDraining && publishes == Publishes::kRefused));
  if (begins) {
    state_ = State::kDraining;
    with_streams_ = shards_.size();
  }
  for (const auto& shard : shards_) {
    boost::asio::post(shard->loop.executor(),
                      [this, &shard = *shard, publishes, begins, duration = settings_.drain] {
                        shard.front.drain(publishes);
                        if (begins) {
                          shard.fan_out.drain(duration, [this] {
                            boost::asio::post(executor_, [this] { streams_closed(); });
                          });
                        }
                      });
  }
}

// A shard goes on answering until no other one has a stream.
void Node::streams_closed() {
  if (--with_streams_ > 0) {
    return;
  }
  unfinished_ = shards_.size();
  for (const auto& shard : shards_) {
    boost::asio::post(shard->loop.executor(), [this, &shard = *shard] {
      if (parts_.listeners_stay) {
        for (const auto& acceptor : shard.acceptors) {
          acceptor->stop();
        }
      }
      shard.front.finish([this] { boost::asio::post(executor_, [this] { drained(); }); });
    });
  }
}

void Node::drained() {
  if (--unfinished_ == 0 && drain_done_) {
    std::exchange(drain_done_, nullptr)();
  }
}

void Node::stop() {
  if (state_ == State::kRunning || state_ == State::kDraining) {
    for (const auto& shard : shards_) {
      boost::asio::post(shard->loop.executor(), [&shard = *shard] {
        for (const auto& acceptor : shard.acceptors) {
          acceptor->stop();
        }
        shard.front.close();
        shard.fan_out.close();
        shard.streams.stop();
        shard.log->stop();
      });
      shard->loop.stop();
    }
    for (const auto& shard : shards_) {
      shard->loop.join();
    }
  }
  state_ = State::kStopped;
  tickets_.stop();
  fetched_keys_.reset();
  shards_.clear();
}

std::vector<fanout::FanOutStats> Node::stats() const {
  std::vector<fanout::FanOutStats> stats;
  for (const auto& shard : shards_) {
    stats.push_back(shard->fan_out.stats());
  }
  return stats;
}

std::string Node::metrics() const {
  std::vector<const base::ShardMetrics*> shards;
  for (const auto& shard : shards_) {
    shards.push_back(&shard->metrics);
  }
  const std::vector<fanout::FanOutStats> fan_outs = stats();
  const FetchedKeys::Figures keys = fetched_keys_->figures();
  return metrics_page({.shards = shards,
                       .fan_outs = fan_outs,
                       .connections = admission_.connections(),
                       .key_fetches = keys.fetched,
                       .key_fetches_failed = keys.failed,
                       .issuers_without_keys = keys.without,
                       .window_bytes = window_.bytes(),
                       .window_end = window_.end(),
                       .log_begin = shards_.front()->log->begin(),
                       .log_end = shards_.front()->log->end()});
}

}  // namespace vrelo::api
