// SPDX-License-Identifier: Apache-2.0
#include "hub/net/socket.h"

#include <cassert>
#include <cerrno>

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <sys/socket.h>
#include <unistd.h>

#include "hub/net/tcp.h"

namespace vrelo::net {

Socket::Socket(base::Executor executor, Deadlines& deadlines, int fd)
    : Deadline(deadlines), descriptor_(executor), fd_(fd) {
  boost::system::error_code error;
  descriptor_.assign(fd, error);
  if (error) {
    ::close(fd);
    fd_ = -1;
  }
}

Socket::~Socket() {
  close();
}

base::Task<bool> Socket::readable() {
  return wait(Descriptor::wait_read);
}

base::Task<bool> Socket::writable() {
  return wait(Descriptor::wait_write);
}

base::Task<bool> Socket::wait(Descriptor::wait_type what) {
  if (expired_ || !is_open()) {
    co_return false;
  }
  boost::system::error_code error;
  co_await descriptor_.async_wait(
      what, boost::asio::redirect_error(boost::asio::use_awaitable_t<base::Executor>(), error));
  co_return !error && !expired_ && is_open();
}

void Socket::set_deadline(base::Clock::Steady when) {
  expired_ = false;
  set(when);
}

void Socket::clear_deadline() {
  expired_ = false;
  clear();
}

void Socket::on_deadline() {
  expired_ = true;
  cancel();
}

void Socket::cancel() {
  if (is_open()) {
    boost::system::error_code ignored;
    descriptor_.cancel(ignored);
  }
}

Received Socket::receive(std::span<char> buffer) {
  assert(is_open() && !buffer.empty());
  const ssize_t size = ::recv(fd_, buffer.data(), buffer.size(), MSG_DONTWAIT);
  if (size > 0) {
    return {.bytes = static_cast<std::size_t>(size)};
  }
  if (size == 0) {
    return {.ended = true};
  }
  return {.failed = errno != EAGAIN && errno != EINTR};
}

Sent Socket::send(std::string_view bytes) {
  assert(is_open());
  return send_now(fd_, bytes);
}

Sent Socket::send(std::span<const iovec> pieces) {
  assert(is_open());
  return send_now(fd_, pieces);
}

void Socket::shutdown_send() {
  assert(is_open());
  ::shutdown(fd_, SHUT_WR);  // fails where the connection is broken, which the next receive() shows
}

int Socket::release() {
  assert(is_open());
  clear_deadline();
  fd_ = -1;
  return descriptor_.release();
}

void Socket::close() {
  clear_deadline();
  if (is_open()) {
    boost::system::error_code ignored;  // it is closed in any case
    descriptor_.close(ignored);
    fd_ = -1;
  }
}

}  // namespace vrelo::net
