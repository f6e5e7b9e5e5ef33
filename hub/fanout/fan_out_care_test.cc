// SPDX-License-Identifier: Apache-2.0
//
// Heartbeats, positions, and peers that are gone: core_care.cc.
#include <algorithm>
#include <chrono>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "hub/fanout/fan_out.h"
#include "hub/fanout/shard_testing.h"
#include "hub/log/event_id.h"

namespace vrelo::fanout {
namespace {

using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

using std::chrono_literals::operator""ms;
using std::chrono_literals::operator""s;

TestShard::Opened on(std::vector<std::string> topics) {
  return {.selection = {.all = false, .topics = std::move(topics)}};
}

TEST(FanOut, keeps_idle_streams_alive_with_heartbeats_at_different_times) {
  TestShard shard;
  for (int fd = 5; fd < 105; ++fd) {
    shard.open(fd, on({"a"}));
  }
  shard.run();
  const auto alive = [&shard](int fd) { return shard.sockets.at(fd).got.ends_with("\n:\n"); };
  const auto count = [&] {
    std::size_t sum = 0;
    for (int fd = 5; fd < 105; ++fd) {
      sum += alive(fd) ? 1U : 0U;
    }
    return sum;
  };
  shard.advance(11'500ms);
  EXPECT_EQ(count(), 0U);
  shard.advance(3500ms);
  EXPECT_GT(count(), 20U);
  EXPECT_LT(count(), 80U);
  shard.advance(3250ms);
  EXPECT_EQ(count(), 100U);
}

TEST(FanOut, cuts_no_stream_and_leaves_out_no_heartbeat_where_the_time_of_day_is_set) {
  for (const int hours : {24, -24}) {
    SCOPED_TRACE(hours);
    TestShard shard;
    shard.open(5, on({"a"}));
    shard.run();
    shard.clock.step_wall(std::chrono::hours(hours));
    const FakeSockets::Socket& socket = shard.sockets.at(5);
    for (int i = 0; i < 30; ++i) {
      const std::size_t before = socket.got.size();
      shard.advance(18'250ms);
      EXPECT_THAT(socket.got.substr(before), HasSubstr(":\n"));
      ASSERT_FALSE(socket.closed);
    }
    shard.publish({"a"}, "x");
    shard.run();
    EXPECT_THAT(shard.data(5), ElementsAre("x"));
  }
}

TEST(FanOut, loses_no_time_where_the_loop_is_always_late) {
  TestShard shard;
  for (int fd = 5; fd < 105; ++fd) {
    shard.open(fd, on({"a"}));
  }
  shard.run();
  for (int i = 0; i < 62; ++i) {
    shard.clock.advance(300ms);
    shard.run();
  }
  for (int fd = 5; fd < 105; ++fd) {
    EXPECT_THAT(shard.sockets.at(fd).got, EndsWith("\n:\n")) << fd;
  }
}

TEST(FanOut, does_not_hold_against_a_peer_that_the_process_stood_still) {
  TestShard shard;
  shard.open(5, on({"a"}));
  shard.run();
  FakeSockets::Socket& socket = shard.sockets.at(5);
  socket.room = 0;
  shard.publish({"a"}, "x");
  shard.advance(1s);
  EXPECT_TRUE(socket.wants_writable);
  shard.clock.advance(std::chrono::hours(1));
  shard.run();
  shard.advance(60s);
  EXPECT_FALSE(socket.closed);
  shard.give_room(5, FakeSockets::kEndless);
  shard.run();
  EXPECT_THAT(shard.data(5), ElementsAre("x"));
}

TEST(FanOut, takes_a_delivered_event_for_a_sign_of_life) {
  TestShard shard;
  shard.open(5, on({"a"}));
  for (int i = 0; i < 10; ++i) {
    shard.advance(10s);
    shard.publish({"a"}, "x");
    shard.run();
  }
  EXPECT_THAT(shard.sockets.at(5).got.substr(21), Not(HasSubstr("\n:")));
}

TEST(FanOut, moves_the_cursor_of_an_idle_stream_on_before_it_grows_too_old) {
  for (const Hello hello : {Hello::kQuiet, Hello::kNamed}) {
    TestShard shard;
    TestShard::Opened opened = on({"quiet"});
    opened.hello = hello;
    shard.open(5, opened);
    shard.run();
    log::Position end;
    for (int i = 0; i < 10; ++i) {
      end = shard.publish({"busy"}, "x");
    }
    shard.advance(20s);  // notices, and takes the shard's position on
    shard.advance(20s);
    const sse::Seen seen = shard.seen(5);
    if (hello == Hello::kNamed) {
      EXPECT_THAT(types(seen), ElementsAre("vrelo.hello", "vrelo.position"));
    } else {
      EXPECT_THAT(seen.events, IsEmpty());
    }
    EXPECT_EQ(seen.last_event_id, log::event_id(end));
  }
}

TEST(FanOut, does_not_move_the_cursor_of_a_stream_that_just_had_an_event) {
  TestShard shard;
  shard.open(5, on({"a"}));
  for (int i = 0; i < 10; ++i) {
    shard.publish({"a"}, "x");
  }
  shard.advance(60s);
  EXPECT_EQ(shard.sockets.at(5).got.rfind("id: "),
            shard.sockets.at(5).got.rfind("data: x\nid: ") + 8);
}

TEST(FanOut, closes_a_peer_that_took_no_byte_for_five_minutes) {
  TestShard shard;
  shard.open(5, on({"a"}));
  shard.run();
  shard.sockets.at(5).room = 0;
  shard.sockets.at(5).peer = {.outstanding = true, .window_closed = true, .silent_for = 70s};
  shard.publish({"a"}, "x");
  shard.advance(290s);
  EXPECT_FALSE(shard.sockets.at(5).closed);
  shard.advance(25s);
  EXPECT_TRUE(shard.sockets.at(5).closed);
  EXPECT_EQ(shard.fan_out().stats().closed_stalled, 1U);
}

TEST(FanOut, does_not_close_a_peer_that_takes_a_little_now_and_then) {
  TestShard shard;
  shard.open(5, on({"a"}));
  shard.run();
  shard.sockets.at(5).room = 0;
  shard.publish({"a"}, "xxxxxxxxxxxxxxxxxxxxxxx");
  for (int i = 0; i < 10; ++i) {
    shard.advance(280s);
    shard.give_room(5, 1);
  }
  EXPECT_FALSE(shard.sockets.at(5).closed);
}

// Its socket does not take more before its peer has taken half of what is in it.
TEST(FanOut, does_not_close_a_peer_that_takes_bytes_while_its_socket_stays_full) {
  TestShard shard;
  shard.open(5, on({"a"}));
  shard.run();
  FakeSockets::Socket& socket = shard.sockets.at(5);
  socket.room = 0;
  socket.peer = {.outstanding = true, .window_closed = true, .acknowledged = 4096};
  shard.publish({"a"}, "x");
  for (int second = 0; second < 600; ++second) {
    socket.peer.acknowledged += 100;
    shard.advance(1s);
    ASSERT_FALSE(socket.closed) << second;
  }
  shard.advance(290s);
  EXPECT_FALSE(socket.closed);
  shard.advance(15s);
  EXPECT_TRUE(socket.closed);
  EXPECT_EQ(shard.fan_out().stats().closed_stalled, 1U);
}

TEST(FanOut, closes_a_peer_that_acknowledges_nothing_but_not_one_without_room) {
  TestShard shard;
  shard.open(5, on({"a"}));
  shard.open(6, on({"a"}));
  shard.run();
  shard.sockets.at(5).peer = {.outstanding = true, .silent_for = 41s};
  shard.sockets.at(6).peer = {.outstanding = true, .window_closed = true, .silent_for = 41s};
  shard.advance(20s);
  EXPECT_TRUE(shard.sockets.at(5).closed);
  EXPECT_EQ(shard.fan_out().stats().closed_silent, 1U);
  EXPECT_FALSE(shard.sockets.at(6).closed);
}

// A heartbeat is the first that it owes.
TEST(FanOut, closes_an_idle_peer_whose_link_went_as_soon_as_a_busy_one) {
  TestShard shard;
  shard.open(5, on({"a"}));
  shard.open(6, on({"a"}));  // was idle for a minute before; its acknowledgement is on its way
  shard.run();
  for (int second = 1; second <= 42; ++second) {
    const bool owes = second > 15;
    shard.sockets.at(5).peer = {.outstanding = owes,
                                .silent_for = std::chrono::seconds(owes ? second - 15 : 0),
                                .acknowledged_ago = std::chrono::seconds(second)};
    const bool owes_late = second > 22;
    shard.sockets.at(6).peer = {.outstanding = owes_late,
                                .silent_for = std::chrono::seconds(owes_late ? second - 22 : 0),
                                .acknowledged_ago = std::chrono::seconds(second + 60)};
    shard.advance(1s);
    EXPECT_EQ(shard.sockets.at(5).closed, second >= 40) << second;
  }
  EXPECT_FALSE(shard.sockets.at(6).closed);
}

// As where the hub's own link is down: the kernel tries again at one pace for ever.
TEST(FanOut, closes_a_silent_peer_also_where_the_kernel_does_not_know_how_long_it_owes) {
  TestShard shard;
  shard.open(5, on({"a"}));
  shard.open(6, on({"a"}));
  shard.run();
  net::Peer& gone = shard.sockets.at(5).peer;
  net::Peer& slow = shard.sockets.at(6).peer;
  for (int second = 1; second <= 60; ++second) {
    gone = {.outstanding = true,
            .silent_for = std::min<std::chrono::seconds>(std::chrono::seconds(second), 6s),
            .acknowledged_ago = std::chrono::seconds(second)};
    // Always owes something, and acknowledges something every 20 s.
    slow = gone;
    slow.acknowledged_ago = std::chrono::seconds(second % 20);
    shard.publish({"a"}, "x");
    shard.advance(1s);
    if (second == 38) {
      EXPECT_FALSE(shard.sockets.at(5).closed);
    } else if (second == 50) {
      EXPECT_TRUE(shard.sockets.at(5).closed);
    }
  }
  EXPECT_FALSE(shard.sockets.at(6).closed);
  EXPECT_EQ(shard.fan_out().stats().closed_silent, 1U);
}

}  // namespace
}  // namespace vrelo::fanout
