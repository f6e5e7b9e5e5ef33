// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

#include <boost/asio/ip/tcp.hpp>

#include "hub/base/descriptor.h"
#include "sse/client/errc.h"

namespace vrelo::cli::load {

struct DialOptions {
  // Which address of this machine to come from, where `to` is 127.0.0.1 or another of 127.0.0.0/8:
  // one address alone has 28,000 ports. 0: the system's choice.
  std::uint32_t source = 0;
  bool reads_slowly = false;  // takes the least receive buffer that there is
};

// Begins to connect, and returns the socket, which does not block; it is writable once it is
// connected, or once it has failed: connect_error() then tells which.
//
// Errors: the system's. No connection leaves a TIME_WAIT behind.
sse::client::Result<base::Descriptor> dial(const boost::asio::ip::tcp::endpoint& to,
                                           DialOptions options);

// Returns how connecting ended. Call it once the socket is writable.
boost::system::error_code connect_error(int fd);

// Watches `fd` in an epoll set, for `events`, under `number`.
boost::system::error_code watch(
    int epoll, int operation, int fd, std::uint32_t events, std::uint64_t number);

}  // namespace vrelo::cli::load
