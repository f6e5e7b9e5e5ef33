// SPDX-License-Identifier: Apache-2.0
//
// Streams whose ids end in a text of their own.
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "hub/fanout/shard_testing.h"
#include "hub/log/event_id.h"

namespace vrelo::fanout {
namespace {

using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::SizeIs;

using std::chrono_literals::operator""s;

TestShard::Opened with_ids(std::string id_suffix,
                           std::optional<log::Position> after = std::nullopt) {
  return {.after = after, .hello = Hello::kNamed, .id_suffix = std::move(id_suffix)};
}

std::vector<std::string> ids(const sse::Seen& seen) {
  std::vector<std::string> ids;
  for (const sse::SeenEvent& event : seen.events) {
    ids.push_back(event.last_event_id);
  }
  return ids;
}

TEST(FanOutIds, end_as_their_stream_wants_it) {
  TestShard shard;
  shard.open(5, with_ids("~x"));
  shard.open(6, with_ids("~yy"));
  shard.open(7, {});
  for (const char* const data : {"one", "two"}) {
    shard.publish({"a"}, data);
    shard.run();
  }
  for (const int fd : {5, 6, 7}) {
    EXPECT_THAT(shard.data(fd), ElementsAre("one", "two")) << fd;
  }
  EXPECT_THAT(ids(shard.seen(5)), Each(EndsWith("~x")));
  EXPECT_THAT(ids(shard.seen(6)), Each(EndsWith("~yy")));
  EXPECT_THAT(ids(shard.seen(7)), Each(Not(HasSubstr("~"))));
}

TEST(FanOutIds, cost_one_write_a_round_too) {
  TestShard shard;
  for (int fd = 10; fd < 20; ++fd) {
    shard.open(fd, with_ids("~" + std::to_string(fd)));
    shard.open(fd + 10, {});
  }
  for (const char* const data : {"one", "two", "three"}) {
    shard.publish({"a"}, data);
  }
  shard.run();
  for (int fd = 10; fd < 30; ++fd) {
    EXPECT_THAT(shard.data(fd), ElementsAre("one", "two", "three")) << fd;
    EXPECT_EQ(shard.sockets.at(fd).writes, 2U) << fd;
  }
  EXPECT_THAT(ids(shard.seen(13)), Each(EndsWith("~13")));
}

TEST(FanOutIds, end_so_in_history_too) {
  TestShard shard;
  const log::Position first = shard.publish({"a"}, "one");
  for (int i = 0; i < 100; ++i) {
    shard.publish({"a"}, "more");
  }
  shard.run();
  shard.open(5, with_ids("~x", first));
  shard.run();
  EXPECT_THAT(shard.data(5), SizeIs(100));
  EXPECT_THAT(ids(shard.seen(5)), Each(EndsWith("~x")));
}

// Whatever a socket takes at a time, live and behind, the bytes are the same.
TEST(FanOutIds, are_whole_wherever_a_write_stops) {
  for (std::size_t room = 1; room < 120; ++room) {
    SCOPED_TRACE(room);
    TestShard shard;
    shard.open(5, with_ids("~suffix"));
    shard.give_room(5, room);
    for (const char* const data : {"one", "two", "three"}) {
      shard.publish({"a"}, data);
    }
    shard.run();
    for (int i = 0; i < 200; ++i) {
      shard.give_room(5, room);
      shard.run();
    }
    shard.give_room(5, FakeSockets::kEndless);
    shard.run();
    shard.publish({"a"}, "four");
    shard.run();
    ASSERT_THAT(shard.data(5), ElementsAre("one", "two", "three", "four"));
    ASSERT_THAT(ids(shard.seen(5)), Each(EndsWith("~suffix")));
  }
}

TEST(FanOutIds, end_so_where_the_hub_moves_the_cursor) {
  TestShard shard;
  shard.open(5, {.selection = {.all = false, .topics = {"quiet"}},
                 .hello = Hello::kNamed,
                 .id_suffix = "~x"});
  for (int i = 0; i < 10; ++i) {
    shard.publish({"a"}, "other");
  }
  shard.run();
  shard.log.remove_to(9);
  shard.advance(60s);
  const sse::Seen seen = shard.seen(5);
  EXPECT_THAT(types(seen), ElementsAre("vrelo.hello", "vrelo.position"));
  EXPECT_THAT(ids(seen), Each(EndsWith("~x")));
}

TEST(FanOutIds, end_so_at_a_gap) {
  TestShard shard(1);
  const log::Position first = shard.publish({"a"}, "one");
  for (int i = 0; i < 9; ++i) {
    shard.publish({"a"}, "more");
  }
  shard.run();
  shard.log.remove_to(5);
  shard.open(5, with_ids("~x", first));
  shard.run();
  const sse::Seen seen = shard.seen(5);
  EXPECT_EQ(types(seen)[1], "vrelo.gap");
  EXPECT_THAT(ids(seen), Each(EndsWith("~x")));
}

TEST(FanOutIds, are_of_a_descriptors_present_stream) {
  TestShard shard;
  shard.open(5, with_ids("~x"));
  shard.fan_out().replace(5);
  EXPECT_TRUE(shard.sockets.at(5).closed);
  EXPECT_EQ(shard.fan_out().stats().closed_replaced, 1U);
  shard.sockets.at(5) = {};
  shard.open(5, with_ids("~y"));
  shard.publish({"a"}, "one");
  shard.run();
  EXPECT_THAT(ids(shard.seen(5)), Each(EndsWith("~y")));
}

TEST(FanOutTell, writes_between_events) {
  TestShard shard;
  shard.open(5, with_ids("~x"));
  EXPECT_EQ(shard.fan_out().tell(5, renew_block(30s)), FanOut::Told::kYes);
  shard.publish({"a"}, "one");
  shard.run();
  EXPECT_THAT(types(shard.seen(5)), ElementsAre("vrelo.hello", "vrelo.renew", "message"));
}

TEST(FanOutTell, ends_its_block_before_a_gap_that_a_page_brings) {
  TestShard shard(1);
  const log::Position first = shard.publish({"a"}, "one");
  for (int i = 0; i < 9; ++i) {
    shard.publish({"a"}, "more");
  }
  shard.run();
  shard.log.held = true;
  shard.open(5, with_ids("~x", first));
  shard.run();
  shard.give_room(5, 10);
  EXPECT_EQ(shard.fan_out().tell(5, renew_block(30s)), FanOut::Told::kYes);
  shard.log.remove_to(9);
  shard.log.release();
  shard.run();
  shard.give_room(5, FakeSockets::kEndless);
  shard.run();
  EXPECT_THAT(types(shard.seen(5)),
              ElementsAre("vrelo.hello", "vrelo.renew", "vrelo.gap", "message"));
}

TEST(FanOutTell, is_not_possible_inside_an_event_or_without_a_peer) {
  TestShard shard;
  shard.open(5, with_ids("~x"));
  shard.give_room(5, 3);
  shard.publish({"a"}, "one");
  shard.run();
  EXPECT_EQ(shard.fan_out().tell(5, renew_block(30s)), FanOut::Told::kBusy);
  shard.give_room(5, FakeSockets::kEndless);
  shard.run();
  shard.sockets.at(5).broken = true;
  EXPECT_EQ(shard.fan_out().tell(5, renew_block(30s)), FanOut::Told::kGone);
}

}  // namespace
}  // namespace vrelo::fanout
