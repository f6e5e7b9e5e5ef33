// SPDX-License-Identifier: Apache-2.0
//
// When rounds begin, and in what order they serve.
#include <algorithm>
#include <cstddef>
#include <functional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <boost/asio/post.hpp>

#include "hub/fanout/fan_out.h"
#include "hub/fanout/shard_testing.h"

namespace vrelo::fanout {
namespace {

using ::testing::ElementsAre;

using std::chrono_literals::operator""ms;
using std::chrono_literals::operator""us;

TestShard::Opened on(std::vector<std::string> topics) {
  return {.selection = {.all = false, .topics = std::move(topics)}};
}

TEST(FanOutRounds, lets_rounds_follow_each_other_at_a_distance_under_load) {
  TestShard shard;
  for (int fd = 100; fd < 200; ++fd) {
    shard.open(fd, on({"a"}));
  }
  shard.run();
  shard.sockets.on_send = [&shard](int) { shard.clock.advance(10us); };  // a round takes 1 ms
  std::vector<std::string> published;
  const auto publish = [&] {
    published.push_back(std::to_string(published.size()));
    shard.publish({"a"}, published.back());
    shard.loop.poll();
  };
  while (shard.data(150) == published) {
    ASSERT_LT(published.size(), 100U);
    publish();
  }
  const auto waits_from = shard.clock.steady();
  EXPECT_GT(published.size(), 5U) << "a shard that has time makes no pause";
  publish();
  publish();
  ASSERT_TRUE(shard.alarms.next());
  EXPECT_NEAR(static_cast<double>((*shard.alarms.next() - waits_from) / 1us), 2000, 20);
  const std::size_t writes = shard.sockets.at(150).writes;
  shard.advance(2ms);
  EXPECT_EQ(shard.data(150), published);
  EXPECT_EQ(shard.sockets.at(150).writes, writes + 1);
}

TEST(FanOutRounds, serves_everything_else_between_the_slices_of_a_round) {
  TestShard shard;
  for (int fd = 1000; fd < 2000; ++fd) {
    shard.open(fd, on({"a"}));
  }
  shard.run();
  std::size_t sent = 0;
  std::size_t since_served = 0;
  std::size_t most = 0;
  shard.sockets.on_send = [&](int) {
    ++sent;
    most = std::max(most, ++since_served);
  };
  // Something else, as often as the loop lets it.
  const std::function<void()> other = [&] {
    since_served = 0;
    if (sent < 1000) {
      boost::asio::post(shard.loop, other);
    }
  };
  shard.publish({"a"}, "one");
  boost::asio::post(shard.loop, other);
  shard.run();
  EXPECT_EQ(sent, 1000U);
  EXPECT_LE(most, 256U);
}

TEST(FanOutRounds, begins_each_round_with_another_stream) {
  TestShard shard;
  for (int fd = 100; fd < 200; ++fd) {
    shard.open(fd, on({"a"}));
  }
  shard.run();
  std::set<int> first;
  for (int i = 0; i < 20; ++i) {
    bool is_first = true;
    shard.sockets.on_send = [&](int fd) {
      if (std::exchange(is_first, false)) {
        first.insert(fd);
      }
    };
    shard.publish({"a"}, "x");
    shard.run();
  }
  EXPECT_GT(first.size(), 10U);
}

}  // namespace
}  // namespace vrelo::fanout
