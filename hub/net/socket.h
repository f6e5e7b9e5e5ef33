// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <span>
#include <string_view>

#include <boost/asio/posix/basic_stream_descriptor.hpp>

#include <sys/uio.h>

#include "hub/base/task.h"
#include "hub/net/deadlines.h"
#include "hub/net/stream_sockets.h"

namespace vrelo::net {

// What became of one read. All empty: there was nothing to read.
struct Received {
  std::size_t bytes = 0;
  bool ended = false;   // the peer sends no more; it may still read
  bool failed = false;  // the connection is of no more use
};

// One connection that talks. It waits without a buffer: who reads waits until it is readable, and
// then reads into a buffer that all connections of the shard share.
//
// Threads: one, the shard's.
// Lifetime: may not be destroyed while readable() or writable() is awaited.
class Socket final : private Deadline {
 public:
  // Takes over `fd`, a connected, non-blocking socket. Where the kernel refuses to watch it, for
  // want of memory, the Socket is closed from the start.
  Socket(base::Executor executor, Deadlines& deadlines, int fd);
  ~Socket();

  // Wait until there is something to read (bytes, the end or an error), or room to write. True does
  // not promise that: the next receive() or send() may still find nothing.
  // False: the deadline has passed, cancel() was called, or the socket is closed.
  // Order: one wait at a time.
  // Cost: a system call, so try to read or write first where that is likely to work.
  base::Task<bool> readable();
  base::Task<bool> writable();

  // Waits end with false when `when` has passed, the pending one and all that follow; until another
  // deadline is set. There is none at first.
  void set_deadline(base::Clock::Steady when);
  void clear_deadline();
  bool expired() const { return expired_; }

  // Ends the pending wait, if there is one, with false.
  void cancel();

  // Do not wait. Order: not after close() or release().
  Received receive(std::span<char> buffer);
  Sent send(std::string_view bytes);
  Sent send(std::span<const iovec> pieces);

  // Tells the peer that nothing more comes; reading goes on.
  void shutdown_send();

  // Hands the open socket to the caller, who owns it from here on. Nothing watches it any more.
  // Order: not while a wait is pending.
  int release();

  void close();  // once more is harmless
  bool is_open() const { return descriptor_.is_open(); }
  int fd() const { return fd_; }

 private:
  using Descriptor = boost::asio::posix::basic_stream_descriptor<base::Executor>;

  base::Task<bool> wait(Descriptor::wait_type what);
  void on_deadline() override;

  Descriptor descriptor_;
  int fd_;  // -1: closed or released
  bool expired_ = false;
};

}  // namespace vrelo::net
