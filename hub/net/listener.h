// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <boost/asio/ip/tcp.hpp>
#include <boost/system/result.hpp>

#include <sys/types.h>

#include "hub/base/setting_text.h"

namespace vrelo::net {

// A socket that listens for TCP connections.
//
// Invariant: it is open, listening, non-blocking and not passed on to programs that are started.
// What is accepted from it has the options that a stream needs (tcp.h).
class Listener {
 public:
  // Takes over `fd`, a socket as the invariant says.
  Listener(int fd, boost::asio::ip::tcp::endpoint endpoint)
      : fd_(fd), endpoint_(std::move(endpoint)) {}

  Listener(Listener&& other) noexcept
      : fd_(std::exchange(other.fd_, -1)), endpoint_(std::move(other.endpoint_)) {}
  Listener& operator=(Listener&& other) noexcept;
  ~Listener();

  int fd() const { return fd_; }

  // Where it listens: with the port that the system chose, if it did.
  const boost::asio::ip::tcp::endpoint& endpoint() const { return endpoint_; }

  int release() && { return std::exchange(fd_, -1); }

 private:
  int fd_;  // -1: moved away
  boost::asio::ip::tcp::endpoint endpoint_;
};

// A T, or why not, as a sentence for the operator: "cannot listen on 127.0.0.1:3000: address in
// use".
template <typename T>
using Listening = boost::system::result<T, base::Fault>;

// Listens on `endpoint` with `shards` sockets, at least one, among which the kernel spreads the
// connections (SO_REUSEPORT). With port 0 the system chooses one, the same for all.
//
// An IPv6 address is for IPv6 alone, but for [::], which takes IPv4 too, as people expect of "all
// addresses".
// Errors: also where another process listens there that would share the port: two hubs that split
// the connections between them would look like one that loses every other event.
Listening<std::vector<Listener>> listen_at(const boost::asio::ip::tcp::endpoint& endpoint,
                                           std::size_t shards);

// The first descriptor that is passed on. Source: sd_listen_fds(3), SD_LISTEN_FDS_START.
inline constexpr int kFirstInherited = 3;

// A listener that is passed on from process to process, and what it is for; "": nobody said.
struct NamedListener {
  std::string name;
  Listener listener;
};

// Takes over the listening sockets that whoever started this process passed on: `variables` is the
// environment, of which LISTEN_PID, LISTEN_FDS and LISTEN_FDNAMES count, and `self` is this
// process. None: there are none, or they are for another process.
//
// Source: sd_listen_fds(3). The variables stay as they are; the descriptors will not be passed on
// again.
// Order: once, before the process opens anything of its own.
// Errors: a variable that is no number, names for more or fewer descriptors than there are, a
// descriptor that is no listening TCP socket. No descriptor is closed then.
Listening<std::vector<NamedListener>> inherited_listeners(
    std::span<const std::pair<std::string, std::string>> variables,
    pid_t self,
    int first = kFirstInherited);

// Moves the listeners to where a process expects those that it inherits: the descriptors from
// `first` on, in their order. What else is open there gets another number and stays open.
// Errors: the process has too many open files.
Listening<std::vector<NamedListener>> line_up(std::vector<NamedListener> listeners,
                                              int first = kFirstInherited);

// The variables by which another process takes over `listeners`, which are lined up, but for
// LISTEN_PID. Invariant: no name has a colon.
std::vector<std::pair<std::string, std::string>> listen_variables(
    std::span<const NamedListener> listeners);

// Gives each shard its listeners: every shard has one at least, and every listener is with one.
// Where there are fewer listeners than shards, several shards accept from the same one; which of
// them gets a connection is then up to the kernel.
// Errors: the process has too many open files.
Listening<std::vector<std::vector<Listener>>> share_out(std::vector<Listener> listeners,
                                                        std::size_t shards);

}  // namespace vrelo::net
