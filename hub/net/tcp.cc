// SPDX-License-Identifier: Apache-2.0
#include "hub/net/tcp.h"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <climits>
#include <cstddef>

// The kernel's own header: that of the C library has an older tcp_info. It cannot be included
// together with Asio.
#include <linux/sockios.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

namespace vrelo::net {
namespace {

// Below this much that it has not sent yet, the kernel takes more, in pieces of up to 64 KiB: one
// who does not read makes it hold both. What is under way counts for nothing here, so that a
// distant reader is as fast as with more.
constexpr int kNotSentMax = 32'768;

// An idle stream has heartbeats, whose acknowledgements fan-out looks at. Where these are rare, the
// kernel finds a peer that is gone by itself, after idle + count * interval: 50 s.
constexpr int kKeepAliveIdleSeconds = 20;
constexpr int kKeepAliveIntervalSeconds = 10;
constexpr int kKeepAliveCount = 3;

// TCP_ESTABLISHED of <netinet/tcp.h>, which has the older tcp_info.
constexpr int kEstablished = 1;

// Linux has all of these since 3.12. Where something stands in for it and does not (a sandbox),
// streams work without, only less well.
void set(int fd, int level, int option, int value) {
  ::setsockopt(fd, level, option, &value, sizeof(value));
}

Sent sent(ssize_t result) {
  if (result >= 0) {
    return {.bytes = static_cast<std::size_t>(result)};
  }
  return {.failed = errno != EAGAIN && errno != EINTR};
}

// How long the oldest byte that is not acknowledged has been waiting: at least this long. The
// kernel doubles its patience with each repetition, so it sent the byte first (1 - 1/2^n) of its
// present patience before it repeated it last, for the n-th time.
std::chrono::microseconds waiting(const tcp_info& info) {
  constexpr unsigned kExact = 31;
  const std::chrono::microseconds patience(info.tcpi_rto);
  const unsigned repeated = std::min<unsigned>(info.tcpi_backoff, kExact);
  return std::chrono::milliseconds(info.tcpi_last_data_sent) + patience -
         patience / (std::int64_t{1} << repeated);
}

}  // namespace

void set_stream_options(int fd) {
  set(fd, IPPROTO_TCP, TCP_NODELAY, 1);
  set(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, kNotSentMax);
  set(fd, IPPROTO_TCP, TCP_KEEPIDLE, kKeepAliveIdleSeconds);
  set(fd, IPPROTO_TCP, TCP_KEEPINTVL, kKeepAliveIntervalSeconds);
  set(fd, IPPROTO_TCP, TCP_KEEPCNT, kKeepAliveCount);
  set(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
}

Peer ask_peer(int fd) {
  tcp_info info = {};
  socklen_t size = sizeof(info);
  if (::getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) != 0) {
    return {};
  }
  return peer_from(info, size >= offsetof(tcp_info, tcpi_snd_wnd) + sizeof(info.tcpi_snd_wnd));
}

std::optional<Delivery> ask_delivery(int fd) {
  tcp_info info = {};
  socklen_t size = sizeof(info);
  int waiting = 0;
  const bool is_told =
      ::getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) == 0 &&
      size >= offsetof(tcp_info, tcpi_bytes_acked) + sizeof(info.tcpi_bytes_acked) &&
      ::ioctl(fd, SIOCOUTQ, &waiting) == 0;
  if (!is_told) {
    return std::nullopt;
  }
  return Delivery{.acknowledged = info.tcpi_bytes_acked,
                  .waiting = static_cast<std::uint64_t>(waiting),
                  .has_ended = info.tcpi_state != kEstablished};
}

Peer peer_from(const tcp_info& info, bool knows_window) {
  // With room at the peer, something would be on its way.
  const bool held_back = info.tcpi_unacked == 0 && info.tcpi_notsent_bytes > 0;
  std::chrono::microseconds silent = std::chrono::milliseconds(info.tcpi_last_ack_recv);
  if (info.tcpi_unacked > 0) {
    silent = std::min(silent, waiting(info));
  }
  return {.outstanding = info.tcpi_unacked > 0 || info.tcpi_probes > 0,
          .window_closed = held_back || (knows_window && info.tcpi_snd_wnd == 0),
          .silent_for = std::chrono::duration_cast<std::chrono::milliseconds>(silent),
          .acknowledged_ago = std::chrono::milliseconds(info.tcpi_last_ack_recv),
          .acknowledged = info.tcpi_bytes_acked};
}

Sent send_now(int fd, std::string_view bytes) {
  return sent(::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT));
}

Sent send_now(int fd, std::span<const iovec> pieces) {
  msghdr message = {};
  message.msg_iov = const_cast<iovec*>(pieces.data());  // sendmsg() does not change it
  message.msg_iovlen = std::min<std::size_t>(pieces.size(), IOV_MAX);
  return sent(::sendmsg(fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT));
}

}  // namespace vrelo::net
