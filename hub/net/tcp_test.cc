// SPDX-License-Identifier: Apache-2.0
#include "hub/net/tcp.h"

#include <array>
#include <chrono>
#include <climits>
#include <cstdint>
#include <vector>

#include <gtest/gtest.h>

#include <linux/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

namespace vrelo::net {
namespace {

using std::chrono_literals::operator""ms;

tcp_info info(unsigned unacked, unsigned probes, unsigned not_sent, unsigned window) {
  tcp_info info = {};
  info.tcpi_unacked = unacked;
  info.tcpi_probes = static_cast<std::uint8_t>(probes);
  info.tcpi_notsent_bytes = not_sent;
  info.tcpi_snd_wnd = window;
  return info;
}

TEST(Tcp, knows_what_a_peer_owes_and_whether_it_has_room) {
  const struct {
    const char* what;
    tcp_info info;
    bool knows_window;
    bool outstanding;
    bool window_closed;
  } cases[] = {
      {"all is acknowledged", info(0, 0, 0, 65'536), true, false, false},
      {"bytes are on their way", info(3, 0, 0, 65'536), true, true, false},
      {"more wait behind them", info(3, 0, 9999, 65'536), true, true, false},
      {"a probe is on its way", info(0, 1, 0, 65'536), true, true, false},
      {"no room, nothing to send", info(0, 0, 0, 0), true, false, true},
      {"no room, bytes wait, it is asked for room", info(0, 2, 9999, 0), true, true, true},
      {"less room than a segment", info(0, 2, 9999, 100), true, true, true},
      {"an old kernel, all is acknowledged", info(0, 0, 0, 0), false, false, false},
      {"an old kernel, bytes are on their way", info(3, 0, 9999, 0), false, true, false},
      {"an old kernel, bytes wait", info(0, 2, 9999, 0), false, true, true},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.what);
    const Peer peer = peer_from(c.info, c.knows_window);
    EXPECT_EQ(peer.outstanding, c.outstanding);
    EXPECT_EQ(peer.window_closed, c.window_closed);
  }
}

TEST(Tcp, counts_silence_from_the_last_acknowledgement_or_what_waits_for_one) {
  const struct {
    const char* what;
    unsigned unacked;
    unsigned last_ack_ms;
    unsigned last_sent_ms;
    unsigned patience_us;
    unsigned backoff;
    std::chrono::milliseconds silent_for;
  } cases[] = {
      {"nothing waits", 0, 90'000, 5, 200'000, 0, 90'000ms},
      {"sent just now after a long quiet", 1, 90'000, 5, 200'000, 0, 5ms},
      {"acknowledged just now, more waits", 1, 5, 100, 200'000, 0, 5ms},
      // 0.2 s, then 0.4 s: sent first 0.6 s before it was sent last.
      {"sent again twice", 1, 90'000, 100, 800'000, 2, 700ms},
      // 0.2 s to 12.8 s.
      {"sent again seven times", 1, 90'000, 15'000, 25'600'000, 7, 40'400ms},
      {"sent again far more often than ever happens", 1, 90'000, 0, 1'000, 255, 1ms},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.what);
    tcp_info info = {};
    info.tcpi_unacked = c.unacked;
    info.tcpi_last_ack_recv = c.last_ack_ms;
    info.tcpi_last_data_sent = c.last_sent_ms;
    info.tcpi_rto = c.patience_us;
    info.tcpi_backoff = static_cast<std::uint8_t>(c.backoff);
    info.tcpi_bytes_acked = std::uint64_t{5} << 32U;
    EXPECT_EQ(peer_from(info, true).silent_for, c.silent_for);
    EXPECT_EQ(peer_from(info, true).acknowledged_ago, std::chrono::milliseconds(c.last_ack_ms));
    EXPECT_EQ(peer_from(info, true).acknowledged, std::uint64_t{5} << 32U);
  }
}

class TcpSocketPairTest : public testing::Test {
 protected:
  void SetUp() override { ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM, 0, pair_.data()), 0); }
  ~TcpSocketPairTest() override {
    ::close(pair_[0]);
    ::close(pair_[1]);
  }

  std::array<int, 2> pair_ = {-1, -1};
};

TEST_F(TcpSocketPairTest, leaves_a_socket_alone_that_is_not_tcp) {
  set_stream_options(pair_[0]);
  const Peer peer = ask_peer(pair_[0]);
  EXPECT_FALSE(peer.outstanding);
  EXPECT_FALSE(peer.window_closed);
  EXPECT_EQ(peer.silent_for, 0ms);
}

TEST_F(TcpSocketPairTest, sends_the_first_of_more_pieces_than_the_kernel_takes) {
  char byte = 'x';
  const std::vector<iovec> pieces(IOV_MAX + 1, iovec{.iov_base = &byte, .iov_len = 1});
  const Sent sent = send_now(pair_[0], pieces);
  EXPECT_FALSE(sent.failed);
  EXPECT_EQ(sent.bytes, static_cast<std::size_t>(IOV_MAX));
}

TEST_F(TcpSocketPairTest, tells_a_full_socket_from_a_broken_one) {
  const std::vector<char> bytes(std::size_t{1} << 20, 'x');
  const std::string_view view(bytes.data(), bytes.size());
  EXPECT_LT(send_now(pair_[0], view).bytes, view.size());
  const Sent full = send_now(pair_[0], view);
  EXPECT_EQ(full.bytes, 0U);
  EXPECT_FALSE(full.failed);
  ::close(pair_[1]);
  EXPECT_TRUE(send_now(pair_[0], view).failed);
  pair_[1] = ::dup(pair_[0]);
}

}  // namespace
}  // namespace vrelo::net
