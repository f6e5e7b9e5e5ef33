// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <utility>

#include <boost/asio/posix/basic_stream_descriptor.hpp>
#include <boost/system/result.hpp>

#include "sse/client/task.h"

namespace vrelo::cli {

// Reads a descriptor of any kind (a terminal, a pipe, a file) on a loop, and leaves it as it is: to
// make the one behind standard input non-blocking would do so to the shell too.
//
// Threads: one, that of its loop.
// Lifetime: `fd` must outlive it, and stays the caller's.
class Input {
 public:
  // Errors: of the system, where it has no descriptor left.
  static boost::system::result<Input> open(const sse::client::Executor& executor, int fd);

  // Waits until something has come, and returns how much of it stands in `into`; 0: the end.
  //
  // Order: one read at a time.
  // Errors: those of the system.
  sse::client::Task<boost::system::result<std::size_t>> read_some(std::span<char> into);

 private:
  using Descriptor = boost::asio::posix::basic_stream_descriptor<sse::client::Executor>;

  Input(int fd, std::optional<Descriptor> readiness) : fd_(fd), readiness_(std::move(readiness)) {}

  int fd_;
  std::optional<Descriptor>
      readiness_;  // an epoll set with fd_ in it; nullopt: never waits, a file
};

}  // namespace vrelo::cli
