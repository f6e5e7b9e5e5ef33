// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <optional>

#include <boost/asio/ip/tcp.hpp>
#include <boost/system/error_code.hpp>
#include <boost/system/result.hpp>

#include "hub/base/clock.h"
#include "hub/base/task.h"
#include "hub/net/alarm.h"
#include "hub/net/listener.h"

namespace vrelo::net {

// Accepts the connections of one listener on one shard.
//
// Where the process has no descriptor left (or the kernel no memory), it reports that and pauses
// for 100 ms, and so it does, without a word, where there is no room; meanwhile connections wait in
// the listener's queue, and none is turned away.
//
// Threads: one, the shard's.
// Order: start() once, then stop(). Lifetime: after stop() or destruction nothing is called any
// more. Both close the listener, which resets the connections that wait in its queue.
// Cost: no allocation per connection; at most 64 are accepted in one turn of the loop.
class Acceptor {
 public:
  // `fd` is connected, non-blocking, not passed on to programs that are started, and the callee's.
  using OnAccept = std::function<void(int fd, const boost::asio::ip::tcp::endpoint& peer)>;
  using OnTrouble = std::function<void(const boost::system::error_code& error)>;

  struct Parts {
    base::Executor executor;  // the shard's
    const base::Clock& clock;
    MakeAlarm make_alarm;
    OnAccept on_accept;
    OnTrouble on_trouble;                                  // once per pause
    std::function<bool()> has_room = [] { return true; };  // for one more connection
  };

  Acceptor(Parts parts, Listener listener);
  ~Acceptor();

  Acceptor(const Acceptor&) = delete;
  Acceptor& operator=(const Acceptor&) = delete;

  // Errors: the kernel's, for want of memory; the listener is closed then.
  boost::system::result<void> start();
  void stop();

 private:
  class Core;

  std::shared_ptr<Core> core_;        // nullptr: stopped
  std::optional<Listener> listener_;  // until start()
};

}  // namespace vrelo::net
