// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include <sys/uio.h>

#include "hub/net/stream_sockets.h"

struct tcp_info;

namespace vrelo::net {

// What a listening socket needs so that a stream on a connection from it arrives at once, leaves
// little in the kernel where its peer is slow, and ends where its peer is gone without a word. The
// connections inherit it, which saves six system calls for each.
void set_stream_options(int fd);

// Asks the kernel about the other end. A socket that is not TCP has a peer that owes nothing.
Peer ask_peer(int fd);

// What became of the bytes that were written to a connection since it began.
struct Delivery {
  std::uint64_t acknowledged = 0;  // by the other end
  std::uint64_t waiting = 0;       // for that
  bool has_ended = false;          // from either side, as the kernel knows it by now

  std::uint64_t written() const { return acknowledged + waiting; }
};

// Returns nullopt where the kernel does not say.
std::optional<Delivery> ask_delivery(int fd);

// What the kernel's answer means. `knows_window`: it has tcpi_snd_wnd (Linux 5.4).
//
// Invariant: `silent_for` is not longer than the oldest unacknowledged byte has been out, so that
// the first byte after a long quiet does not make a peer look silent.
Peer peer_from(const tcp_info& info, bool knows_window);

// Write without waiting, and without SIGPIPE.
Sent send_now(int fd, std::string_view bytes);
Sent send_now(int fd, std::span<const iovec> pieces);

}  // namespace vrelo::net
