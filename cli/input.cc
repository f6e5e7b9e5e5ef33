// SPDX-License-Identifier: Apache-2.0
#include "cli/input.h"

#include <sys/epoll.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "hub/base/last_error.h"

namespace vrelo::cli {
namespace {

using boost::system::error_code;

}  // namespace

boost::system::result<Input> Input::open(const sse::client::Executor& executor, int fd) {
  const int set = ::epoll_create1(EPOLL_CLOEXEC);
  if (set < 0) {
    return base::last_error();
  }
  epoll_event interest = {};
  interest.events = EPOLLIN;
  if (::epoll_ctl(set, EPOLL_CTL_ADD, fd, &interest) != 0) {
    const error_code error = base::last_error();
    ::close(set);
    // What can always be read has no place in an epoll set.
    if (error == boost::system::errc::operation_not_permitted) {
      return Input(fd, std::nullopt);
    }
    return error;
  }
  Descriptor readiness(executor);
  error_code error;
  readiness.assign(set, error);
  if (error) {
    ::close(set);
    return error;
  }
  return Input(fd, std::move(readiness));
}

sse::client::Task<boost::system::result<std::size_t>> Input::read_some(std::span<char> into) {
  while (true) {
    if (readiness_) {
      const auto [error] =
          co_await readiness_->async_wait(Descriptor::wait_read, sse::client::kAwait);
      if (error) {
        co_return error;
      }
    }
    const ssize_t bytes = ::read(fd_, into.data(), into.size());
    if (bytes >= 0) {
      co_return static_cast<std::size_t>(bytes);
    }
    if (errno != EINTR && errno != EAGAIN) {
      co_return base::last_error();
    }
  }
}

}  // namespace vrelo::cli
