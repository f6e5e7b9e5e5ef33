// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include <sys/uio.h>

namespace vrelo::net {

// What became of one write.
struct Sent {
  std::size_t bytes = 0;  // how many the kernel took; fewer than given: its buffer is full
  bool failed = false;    // the connection is of no more use; on_gone() does not follow by itself
};

// What the kernel knows of the other end. Source: tcp(7), TCP_INFO.
struct Peer {
  bool outstanding = false;    // bytes or a keep-alive probe wait for an acknowledgement
  bool window_closed = false;  // it has no room: it lives but does not read

  // Since its last acknowledgement, but no longer than the oldest byte waits for one, as far as
  // that can be known from how often it was sent: at least that long.
  std::chrono::milliseconds silent_for{0};

  std::chrono::milliseconds acknowledged_ago{0};  // since its last acknowledgement

  std::uint64_t acknowledged = 0;  // bytes, since the connection began; always 0: it is not known
};

// The sockets of open streams, named by their descriptors. Fan-out writes through this interface
// alone, so that the simulator runs it without sockets.
//
// Threads: one, the shard's.
class StreamSockets {
 public:
  virtual ~StreamSockets() = default;

  // Write without waiting. A partial write is not an error: the rest is to be written after
  // on_writable().
  virtual Sent send(int fd, std::string_view bytes) = 0;
  virtual Sent send(int fd, std::span<const iovec> pieces) = 0;

  // From now on, or no longer, tell when the socket takes bytes again. Doing it twice is harmless.
  virtual void want_writable(int fd, bool wanted) = 0;

  virtual Peer peer(int fd) const = 0;

  // Takes over `fd`, an open non-blocking socket, watches it for its end, and owns it until
  // close().
  // False: the kernel refused (and `fd` is closed).
  virtual bool adopt(int fd) = 0;

  // Closes the socket. No event for this descriptor follows, also none that was already under way.
  virtual void close(int fd) = 0;
};

// What happens on the sockets by itself.
//
// The calls come from the shard's loop, never from inside a StreamSockets call.
class StreamEvents {
 public:
  virtual void on_writable(int fd) = 0;

  // The other end closed the connection or it broke. The receiver calls StreamSockets::close().
  virtual void on_gone(int fd) = 0;

 protected:
  ~StreamEvents() = default;
};

}  // namespace vrelo::net
