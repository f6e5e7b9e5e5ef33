// SPDX-License-Identifier: Apache-2.0
#include "cli/load/dial.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <cerrno>

#include "hub/base/last_error.h"

namespace vrelo::cli::load {
namespace {

using boost::asio::ip::address_v4;
using boost::asio::ip::tcp;
using boost::system::error_code;

template <typename Value>
bool set(int fd, int level, int option, const Value& value) {
  return ::setsockopt(fd, level, option, &value, sizeof value) == 0;
}

bool bind_to(int fd, std::uint32_t source) {
  const tcp::endpoint from(address_v4(INADDR_LOOPBACK + source), 0);
  return set(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1) &&
         ::bind(fd, from.data(), static_cast<socklen_t>(from.size())) == 0;
}

}  // namespace

sse::client::Result<base::Descriptor> dial(const tcp::endpoint& to, DialOptions options) {
  base::Descriptor socket(
      ::socket(to.data()->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  const int fd = socket.get();
  if (fd < 0) {
    return base::last_error();
  }
  const bool is_set = set(fd, IPPROTO_TCP, TCP_NODELAY, 1) &&
                      set(fd, SOL_SOCKET, SO_LINGER, linger{.l_onoff = 1, .l_linger = 0}) &&
                      (!options.reads_slowly || set(fd, SOL_SOCKET, SO_RCVBUF, 1));
  const bool has_source = options.source > 0 && to.address().is_v4() && to.address().is_loopback();
  if (!is_set || (has_source && !bind_to(fd, options.source))) {
    return base::last_error();
  }
  if (::connect(fd, to.data(), static_cast<socklen_t>(to.size())) != 0 && errno != EINPROGRESS) {
    return base::last_error();
  }
  return socket;
}

error_code connect_error(int fd) {
  int error = 0;
  socklen_t bytes = sizeof error;
  if (::getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &bytes) != 0) {
    return base::last_error();
  }
  return {error, boost::system::system_category()};
}

error_code watch(int epoll, int operation, int fd, std::uint32_t events, std::uint64_t number) {
  epoll_event event = {};
  event.events = events;
  event.data.u64 = number;
  return ::epoll_ctl(epoll, operation, fd, &event) == 0 ? error_code() : base::last_error();
}

}  // namespace vrelo::cli::load
