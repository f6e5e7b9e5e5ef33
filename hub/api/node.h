// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <boost/asio/ip/tcp.hpp>

#include "hub/api/front.h"
#include "hub/auth/quotas.h"
#include "hub/base/admission.h"
#include "hub/base/clock.h"
#include "hub/base/logging.h"
#include "hub/base/setting_text.h"
#include "hub/base/settings.h"
#include "hub/base/task.h"
#include "hub/base/topic_patterns.h"
#include "hub/fanout/fan_out.h"
#include "hub/fanout/window.h"
#include "hub/fetched_keys.h"
#include "hub/log/log.h"
#include "hub/net/listener.h"

namespace vrelo::api {

// What a node is made of. Lifetime: the references outlive the Node.
struct NodeParts {
  const base::Clock& clock;
  base::Logger& logger;
  log::Store& store;

  std::vector<net::Listener> listeners;  // at least one; the shards share them out
  std::optional<net::Listener> admin_listener = {};

  // Whether another process holds the same sockets and has the next one accept from them. Then a
  // drain stops accepting before it ends, so that this one closes no connection without an answer.
  bool listeners_stay = false;

  std::shared_ptr<const auth::TrustPolicy> trust = {};  // nullptr: there is no authorization

  // How the keys are fetched that issuers publish; nullptr: by net::https_get(). It is called by
  // the executor's thread.
  FetchedKeys::Fetch fetch = {};

  // What is revoked, and what keeps one more of them over a restart; nullptr: nothing does. It is
  // called by the executor's thread, and may wait for a disk.
  std::vector<auth::Revocation> revocations = {};
  auth::KeepRevocation keep_revocation = {};

  auth::KeptTickets tickets = {};

  std::size_t files_max;  // RLIMIT_NOFILE
  std::uint64_t seed;     // for jitter
};

// How many shards a node with `settings` has.
std::size_t shard_count(const base::Settings& settings);

// One process of a hub: its shards with all that runs on them, and the window they share.
//
// Threads: one, that of `executor`, for all calls and callbacks; each shard has a thread of its
// own.
// Order: start(), then any of reload() and drain(), then stop() or the destruction.
class Node final : public Overview {
 public:
  Node(NodeParts parts, const base::Settings& settings, base::Executor executor);
  ~Node();

  Node(const Node&) = delete;
  Node& operator=(const Node&) = delete;

  // Begins to follow the log and to serve.
  // Errors: the system has no descriptors, memory or threads for it; the node is to be destroyed
  // then.
  base::Parsed<void> start();

  // Takes what can change while the hub runs; streams stay open.
  void reload(const base::Settings& settings, std::shared_ptr<const auth::TrustPolicy> trust);

  // Ends as design and clients want it: new streams are told when to come back, new publishes are
  // refused, open streams are closed evenly over the settings' drain time, what was accepted before
  // the last one closed is answered. Then calls `done`. The listeners stay open until stop(),
  // except with listeners_stay, which stops all of them, the administration's too.
  // With Publishes::kTaken none is refused; when the last stream of all is closed, those that are
  // under way are finished.
  // Order: once with kTaken, once with kRefused, or first that and then this, which has the streams
  // closed when they would have been.
  void drain(Publishes publishes, std::function<void()> done);

  // Ends at once what is left, and all threads. Doing it twice is harmless.
  void stop();

  // What each shard's fan-out did. Threads: any.
  std::vector<fanout::FanOutStats> stats() const;

  // The text of /metrics. Threads: any.
  std::string metrics() const override;

  void revoke(auth::Revocation revocation, base::Executor executor, Revoked done) override;
  void ask_acknowledged(const auth::TicketHash& ticket,
                        auth::TicketBook::Holder holder,
                        std::function<void(bool)> done) override;
  void want_keys(auth::KeysWanted wanted, std::function<void(bool)> done) override;

 private:
  struct ShardParts;

  std::shared_ptr<const Policy> policy() const;
  FetchedKeys::Parts key_parts();
  void follow_issuers();
  void warn_of_clock() const;
  void set_trust();
  void post_policy();
  void close_session(const auth::TicketOffice::Closing& closing);
  boost::system::result<void> revoke_here(const auth::Revocation& revocation);
  base::Parsed<void> accept_on(ShardParts& shard, net::Listener socket, Listener listener);
  void streams_closed();
  void drained();

  NodeParts parts_;
  base::Settings settings_;
  const base::Executor executor_;
  const bool local_only_;
  auth::Revocations revocations_;
  std::optional<FetchedKeys> fetched_keys_;  // nullopt: stopped
  std::shared_ptr<const auth::TrustPolicy> configured_trust_;
  std::shared_ptr<const auth::TrustPolicy> trust_;  // that, with fetched keys and revocations

  base::TopicPatterns patterns_;
  auth::Quotas quotas_;
  base::Admission admission_;
  fanout::Window window_;
  auth::TicketOffice tickets_;
  std::vector<std::unique_ptr<ShardParts>> shards_;

  enum class State { kNew, kRunning, kDraining, kStopped };
  State state_ = State::kNew;
  std::size_t with_streams_ = 0;  // shards whose streams are not all closed
  std::size_t unfinished_ = 0;    // shards whose connections are not, after that
  std::function<void()> drain_done_;
};

}  // namespace vrelo::api
