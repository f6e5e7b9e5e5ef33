// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cassert>
#include <cerrno>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/address_v4.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "hub/net/listener.h"

namespace vrelo::net {

// A descriptor that a test owns.
class OwnedFd {
 public:
  explicit OwnedFd(int fd) : fd_(fd) { assert(fd >= 0); }
  OwnedFd(OwnedFd&& other) noexcept : fd_(other.release()) {}
  OwnedFd& operator=(OwnedFd&&) = delete;
  ~OwnedFd() { close(); }

  int get() const { return fd_; }
  int release() { return std::exchange(fd_, -1); }
  void close() {
    if (fd_ >= 0) {
      ::close(release());
    }
  }

 private:
  int fd_;
};

inline bool is_open(int fd) {
  int type = 0;
  socklen_t size = sizeof(type);
  return ::getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) == 0;
}

inline void wait_for_input(int fd) {
  pollfd wanted = {.fd = fd, .events = POLLIN, .revents = 0};
  while (::poll(&wanted, 1, -1) != 1) {
    assert(errno == EINTR);
  }
}

// The far end of a connection: a plain client, whose calls block.
class Client {
 public:
  explicit Client(const boost::asio::ip::tcp::endpoint& server, int receive_buffer = 0)
      : fd_(::socket(server.protocol().family(), SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    if (receive_buffer != 0) {
      ::setsockopt(fd(), SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof(receive_buffer));
    }
    [[maybe_unused]] const int result =
        ::connect(fd(), server.data(), static_cast<socklen_t>(server.size()));
    assert(result == 0);
  }

  int fd() const { return fd_.get(); }

  void send(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t size = ::send(fd(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (size < 0) {
        return;  // the hub closed it
      }
      bytes.remove_prefix(static_cast<std::size_t>(size));
    }
  }

  // Waits for that many bytes. Less: the hub closed the connection.
  std::string receive(std::size_t size) {
    std::string bytes(size, '\0');
    std::size_t got = 0;
    while (got < size) {
      const ssize_t more = ::recv(fd(), bytes.data() + got, size - got, 0);
      if (more <= 0) {
        break;
      }
      got += static_cast<std::size_t>(more);
    }
    bytes.resize(got);
    return bytes;
  }

  bool at_end() { return receive(1).empty(); }
  void shutdown_send() { ::shutdown(fd(), SHUT_WR); }
  void close() { fd_.close(); }

  // Breaks the connection.
  void reset() {
    const linger now = {.l_onoff = 1, .l_linger = 0};
    ::setsockopt(fd(), SOL_SOCKET, SO_LINGER, &now, sizeof(now));
    close();
  }

 private:
  OwnedFd fd_;
};

// A TCP connection of this machine with itself.
class Loopback {
 public:
  // `receive_buffer`: how much the client's kernel takes before the client reads; 0: its default.
  explicit Loopback(int receive_buffer = 0) : Loopback(make_listener(), receive_buffer) {}

  // The hub's end: non-blocking, as it comes from an Acceptor.
  int fd() const { return near_.get(); }
  int release() { return near_.release(); }

  Client client;

  static Listener make_listener() {
    auto listeners = listen_at({boost::asio::ip::address_v4::loopback(), 0}, 1);
    assert(listeners);
    return std::move(listeners->front());
  }

 private:
  Loopback(Listener listener, int receive_buffer)
      : client(listener.endpoint(), receive_buffer), near_(accept(listener)) {}

  static int accept(const Listener& listener) {
    wait_for_input(listener.fd());
    return ::accept4(listener.fd(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
  }

  OwnedFd near_;
};

// Lets the loop do what comes until `done()`.
template <typename Done>
void run_until(boost::asio::io_context& loop, const Done& done) {
  while (!done()) {
    loop.restart();
    loop.run_one();
  }
}

// Lets the loop do what is to be done now.
inline std::size_t run_ready(boost::asio::io_context& loop) {
  loop.restart();
  return loop.poll();
}

}  // namespace vrelo::net
