// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <boost/asio/ip/tcp.hpp>
#include <boost/intrusive/list.hpp>

#include "hub/api/connection.h"
#include "hub/api/policy.h"
#include "hub/api/stream_rights.h"
#include "hub/auth/authenticator.h"
#include "hub/auth/grant.h"
#include "hub/auth/key_source.h"
#include "hub/auth/quotas.h"
#include "hub/auth/revocations.h"
#include "hub/auth/ticket_book.h"
#include "hub/auth/ticket_office.h"
#include "hub/base/admission.h"
#include "hub/base/clock.h"
#include "hub/base/logging.h"
#include "hub/base/metrics.h"
#include "hub/base/task.h"
#include "hub/base/topic_patterns.h"
#include "hub/fanout/fan_out.h"
#include "hub/log/log.h"
#include "hub/net/alarm.h"
#include "hub/net/deadlines.h"
#include "hub/net/epoll_streams.h"

namespace vrelo::api {

// What a connection does with the whole node. Threads: any.
class Overview {
 public:
  virtual std::string metrics() const = 0;

  // Refuses tokens from now on, on all shards and over a restart; streams that they opened end
  // within a second. Calls `done` on `executor` when it is kept and every shard will do so; never,
  // if the node ends before.
  //
  // Errors: those of the store; no_space_on_device: there are kRevocationsMax already.
  using Revoked = std::function<void(boost::system::result<void>)>;
  virtual void revoke(auth::Revocation revocation, base::Executor executor, Revoked done) = 0;

  // Asks for keys that are not known. Calls `done` on the thread of the node, at once or when they
  // were fetched; never, if the node ends before. True: what is posted to a shard from in there
  // finds one that knows the keys.
  virtual void want_keys(auth::KeysWanted wanted, std::function<void(bool)> done) = 0;

  // Finds out whether the other end of a session's connection has acknowledged its first block;
  // false also if that connection is no more. Calls `done` on the thread of that shard; never, if
  // the node ends before.
  virtual void ask_acknowledged(const auth::TicketHash& ticket,
                                auth::TicketBook::Holder holder,
                                std::function<void(bool)> done) = 0;

 protected:
  ~Overview() = default;
};

// What a shard's HTTP side works with. Lifetime: the references outlive the Front.
struct FrontParts {
  base::Executor executor;
  const base::Clock& clock;
  net::MakeAlarm make_alarm;
  log::Log& log;
  fanout::FanOut& fan_out;
  net::EpollStreams& streams;
  base::Admission& admission;
  std::size_t turned_away_max = 64;  // see Front::has_room()
  base::ShardMetrics& metrics;
  base::Logger& logger;
  Overview& overview;
  auth::TicketOffice& tickets;
  std::size_t shard = 0;  // which one this is
  base::TopicPatterns& patterns;
  auth::Quotas& quotas;
  auth::GrantPtr grant;  // everyone's, as long as there is no key
};

// What a drain does with publishes. kTaken: a successor waits where this hub is, and nobody else
// could take them.
enum class Publishes { kTaken, kRefused };

// Serves HTTP on one shard: takes what was accepted, and keeps its connections until they end or
// become streams.
//
// Threads: one, the shard's.
// Lifetime: destroyed when close() was called and the shard's loop has run dry.
class Front {
 public:
  Front(FrontParts parts, std::shared_ptr<const Policy> policy);
  ~Front();

  Front(const Front&) = delete;
  Front& operator=(const Front&) = delete;

  // Returns whether a connection of `listener` can be accepted now. How many are told at the same
  // time that there is no room for them is limited, so that a flood cannot use up all descriptors.
  // One more takes the place of the oldest, so that those that stay silent keep nobody from an
  // answer; but not before that had time to ask, or a browser would be cut off without a word,
  // which Firefox takes for the end.
  bool has_room(Listener listener) const;

  // Takes over `fd`, a connected, non-blocking socket.
  void accept(int fd, const boost::asio::ip::tcp::endpoint& peer, Listener listener);

  // Holds for requests that come from now on.
  void set_policy(std::shared_ptr<const Policy> policy);

  // Ends what a session has here, and tells what became of it.
  void close_session(const auth::TicketOffice::Closing& closing) { rights_.close(closing); }
  bool has_acknowledged(const auth::TicketHash& ticket, std::uint32_t turn) const {
    return rights_.has_acknowledged(ticket, turn);
  }

  // From now on readers are told to come back, and publishes are taken or refused.
  void drain(Publishes publishes) {
    draining_ = true;
    publishes_ = publishes;
  }

  // Ends each connection once its requests are answered, and calls `done` when those that were
  // there have ended. Others may come meanwhile, as long as there are readers who come back.
  void finish(std::function<void()> done);

  // Ends all connections now.
  void close();

 private:
  friend class Connection;

  // Those that were not admitted, oldest first.
  using TurnedAway = boost::intrusive::list<Connection,
                                            boost::intrusive::base_hook<TurnedAwayHook>,
                                            boost::intrusive::constant_time_size<false>>;

  void add(Connection& connection);
  void remove(Connection& connection);
  void make_room(Listener listener);
  bool finishing() const { return finished_ != nullptr; }
  bool is_log_away() const;
  bool takes_publishes() const { return publishes_ == Publishes::kTaken; }

  const FrontParts parts_;
  std::shared_ptr<const Policy> policy_;
  std::optional<auth::Authenticator> authenticator_;  // nullopt: there is no key
  bool draining_ = false;
  Publishes publishes_ = Publishes::kTaken;

  // When the log last did not answer on this shard; nullopt if it has answered since.
  std::optional<base::Clock::Steady> log_away_at_;

  std::function<void()> finished_;
  std::size_t awaited_ = 0;  // connections that have to end before it is called

  net::Deadlines deadlines_;
  StreamRights rights_;
  boost::intrusive::list<Connection> connections_;
  std::array<TurnedAway, 2> turned_away_;  // of them, by listener
  std::size_t unanswered_bytes_ = 0;       // of requests, that the connections hold
  std::vector<char> buffer_;               // for the connection that reads just now
};

}  // namespace vrelo::api
