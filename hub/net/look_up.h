// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <boost/asio/ip/tcp.hpp>
#include <boost/system/result.hpp>

#include "hub/base/task.h"

namespace vrelo::net {

// Asks the system for the addresses of a name.
//
// Each look-up has a thread of its own, which nobody waits for: a name whose servers are silent
// keeps its thread for as long as the system's resolver likes, but holds up neither other names nor
// the end of the process, as Asio's one thread for all of them would.
//
// Threads: one, that of the executor.
class LookUp {
 public:
  using Addresses = std::vector<boost::asio::ip::tcp::endpoint>;
  using Done = std::function<void(boost::system::result<Addresses>)>;

  // `host`: a name or an address. Calls `done` once, on the executor, never from in here.
  // Errors: those of the resolver, in its words; the system has no thread left.
  LookUp(base::Executor executor, const std::string& host, std::uint16_t port, Done done);

  // Ends it: `done` is not called any more.
  // Lifetime: to be called before the executor's loop is destroyed.
  ~LookUp();

  LookUp(const LookUp&) = delete;
  LookUp& operator=(const LookUp&) = delete;

 private:
  struct State;

  const std::shared_ptr<State> state_;
};

}  // namespace vrelo::net
