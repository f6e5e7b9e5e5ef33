// SPDX-License-Identifier: Apache-2.0
#include "hub/api/front.h"

#include <cassert>
#include <chrono>
#include <exception>

#include <boost/asio/co_spawn.hpp>

#include "hub/auth/topic_patterns.h"

namespace vrelo::api {
namespace {

constexpr std::size_t kBufferBytes = std::size_t{64} << 10;

// How long a connection that is turned away has at least to send its request.
constexpr std::chrono::seconds kPatience{1};

// How long the hub is not ready once the log did not answer. Only requests find out that it answers
// again, and a balancer sends none to a hub that is not ready.
constexpr std::chrono::seconds kLogAwayTime{10};

}  // namespace

Front::Front(FrontParts parts, std::shared_ptr<const Policy> policy)
    : parts_(std::move(parts)),
      deadlines_(parts_.clock, parts_.make_alarm),
      rights_(parts_.clock, deadlines_, parts_.fan_out),
      buffer_(kBufferBytes) {
  set_policy(std::move(policy));
}

Front::~Front() {
  assert(connections_.empty());
}

bool Front::has_room(Listener listener) const {
  const TurnedAway& turned_away = turned_away_.at(static_cast<std::size_t>(listener));
  return turned_away.size() < parts_.turned_away_max ||
         parts_.clock.steady() - turned_away.front().accepted_at() >= kPatience;
}

void Front::accept(int fd, const boost::asio::ip::tcp::endpoint& peer, Listener listener) {
  parts_.metrics.connections.add();
  auto admitted = parts_.admission.admit(peer.address());
  if (!admitted) {
    make_room(listener);
  }
  auto connection = std::make_unique<Connection>(*this, fd, peer, listener, std::move(admitted));
  boost::asio::co_spawn(parts_.executor, Connection::run(std::move(connection)),
                        [](const std::exception_ptr& error) { assert(error == nullptr); });
}

void Front::set_policy(std::shared_ptr<const Policy> policy) {
  const std::shared_ptr<const Policy> former = std::exchange(policy_, std::move(policy));
  if (former != nullptr && former->trust == policy_->trust) {
    return;
  }
  const auto& trust = policy_->trust;
  rights_.set_trust(trust.get());
  const bool allowed_anonymous =
      former == nullptr || former->trust == nullptr || former->trust->allows_anonymous;
  if (allowed_anonymous && trust != nullptr && !trust->allows_anonymous) {
    for (const int fd : parts_.streams.without_right()) {
      parts_.fan_out.end(fd, "revoked");
    }
  }
  if (trust == nullptr) {
    authenticator_.reset();
  } else if (authenticator_) {
    authenticator_->set_policy(trust);  // its grants stay, so that equal rights stay one group
  } else {
    authenticator_.emplace(trust, auth::pattern_compiler(parts_.patterns), parts_.clock,
                           parts_.quotas);
  }
}

void Front::finish(std::function<void()> done) {
  assert(finished_ == nullptr);
  awaited_ = connections_.size();
  if (awaited_ == 0) {
    done();
    return;
  }
  finished_ = std::move(done);
  for (Connection& connection : connections_) {
    connection.finish();
  }
}

void Front::close() {
  for (Connection& connection : connections_) {
    connection.abort();
  }
}

bool Front::is_log_away() const {
  return log_away_at_ && parts_.clock.steady() - *log_away_at_ < kLogAwayTime;
}

void Front::add(Connection& connection) {
  connections_.push_back(connection);
  if (!connection.is_admitted()) {
    turned_away_.at(static_cast<std::size_t>(connection.listener())).push_back(connection);
  }
}

void Front::make_room(Listener listener) {
  TurnedAway& turned_away = turned_away_.at(static_cast<std::size_t>(listener));
  if (turned_away.size() < parts_.turned_away_max) {
    return;
  }
  Connection& oldest = turned_away.front();
  turned_away.pop_front();  // now: it ends when the loop comes to it
  if (!oldest.has_answered()) {
    parts_.metrics.refusals.add("connection closed");
    parts_.logger.refused("connection closed", "too many are being refused");
  }
  oldest.abort();
}

void Front::remove(Connection& connection) {
  connections_.erase(connections_.iterator_to(connection));
  if (finished_ != nullptr && !connection.is_late() && --awaited_ == 0) {
    std::exchange(finished_, nullptr)();
  }
}

}  // namespace vrelo::api
