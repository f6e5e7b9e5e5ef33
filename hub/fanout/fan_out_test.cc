// SPDX-License-Identifier: Apache-2.0
#include "hub/fanout/fan_out.h"

#include <chrono>
#include <string>
#include <utility>
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
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::StartsWith;

using std::chrono_literals::operator""ms;
using std::chrono_literals::operator""s;

TestShard::Opened on(std::vector<std::string> topics) {
  return {.selection = {.all = false, .topics = std::move(topics)}};
}

TestShard::Opened since(log::Position after, std::vector<std::string> topics = {}) {
  return {.selection = {.all = topics.empty(), .topics = std::move(topics)}, .after = after};
}

auth::GrantPtr reader_of(std::vector<std::string> topics) {
  return std::make_shared<const auth::Grant>(
      auth::Grant{.publish = {}, .read_private = {.all = false, .listed = std::move(topics)}});
}

TEST(FanOut, opens_a_stream_with_one_write_of_head_and_first_block) {
  TestShard shard;
  const log::Position now = shard.publish({"a"}, "before");
  shard.run();
  shard.open(5, on({"a"}));
  const FakeSockets::Socket& socket = shard.sockets.at(5);
  EXPECT_EQ(socket.writes, 1U);
  EXPECT_THAT(socket.got, StartsWith(": vrelo heartbeat=15\n"));
  EXPECT_THAT(socket.got, EndsWith("id: " + log::event_id(now) + "\n\n"));
}

TEST(FanOut, sends_an_event_to_the_streams_that_select_it) {
  TestShard shard;
  shard.open(5, on({"a"}));
  shard.open(6, on({"b"}));
  shard.open(7, on({"b", "a"}));
  shard.open(8, {});
  shard.publish({"a"}, "one");
  shard.run();
  shard.publish({"b", "a"}, "two");
  shard.run();
  EXPECT_THAT(shard.data(5), ElementsAre("one", "two"));
  EXPECT_THAT(shard.data(6), ElementsAre("two"));
  EXPECT_THAT(shard.data(7), ElementsAre("one", "two"));
  EXPECT_THAT(shard.data(8), ElementsAre("one", "two"));
}

TEST(FanOut, sends_the_events_of_a_round_in_one_write) {
  TestShard shard;
  shard.open(5, on({"a"}));
  for (int fd = 10; fd < 20; ++fd) {
    shard.open(fd, on({"a", "b"}));
  }
  for (const char* const data : {"one", "two", "three"}) {
    shard.publish({"a"}, data);
  }
  shard.run();
  for (const int fd : {5, 10, 19}) {
    EXPECT_THAT(shard.data(fd), ElementsAre("one", "two", "three")) << fd;
    EXPECT_EQ(shard.sockets.at(fd).writes, 2U) << fd;
  }
}

TEST(FanOut, brings_a_stream_from_its_cursor_to_now) {
  TestShard shard;
  const log::Position first = shard.publish({"a"}, "one");
  shard.publish({"a"}, "two");
  shard.run();
  shard.open(5, since(first, {"a"}));
  shard.publish({"a"}, "three");
  shard.run();
  EXPECT_THAT(shard.data(5), ElementsAre("two", "three"));
}

TEST(FanOut, brings_what_came_before_the_shard_had_interest) {
  TestShard shard;
  shard.open(5, on({"a"}));
  const log::Position first = shard.publish({"a"}, "one");
  shard.run();
  shard.publish({"b"}, "two");  // nobody wants it: the shard is not woken
  shard.run();
  shard.open(6, since(first, {"b"}));
  shard.run();
  shard.publish({"b"}, "three");
  shard.run();
  EXPECT_THAT(shard.data(6), ElementsAre("two", "three"));
}

TEST(FanOut, is_not_woken_for_topics_that_it_has_no_reader_of) {
  TestShard shard;
  shard.open(5, on({"a"}));
  shard.run();
  const auto woken = shard.fan_out().stats().wakes;
  for (int i = 0; i < 1000; ++i) {
    shard.publish({"b"}, "x");
  }
  shard.run();
  EXPECT_EQ(shard.fan_out().stats().wakes, woken);
}

TEST(FanOut, wakes_no_more_for_a_stream_that_has_gone) {
  TestShard shard;
  shard.open(5, on({"a"}));
  shard.run();
  shard.fan_out().on_gone(5);
  EXPECT_TRUE(shard.sockets.at(5).closed);
  const auto woken = shard.fan_out().stats().wakes;
  shard.publish({"a"}, "x");
  shard.run();
  EXPECT_EQ(shard.fan_out().stats().wakes, woken);
  EXPECT_EQ(shard.fan_out().stats().streams, 0U);
  EXPECT_EQ(shard.fan_out().stats().closed_gone, 1U);
}

TEST(FanOut, has_no_stream_where_the_kernel_refuses_the_socket) {
  TestShard shard;
  shard.sockets.refuses = true;
  shard.open(5, on({"a"}));
  shard.publish({"a"}, "x");
  shard.run();
  EXPECT_EQ(shard.fan_out().stats().streams, 0U);
  EXPECT_EQ(shard.sockets.at(5).writes, 0U);
}

TEST(FanOut, serves_a_slow_reader_at_its_pace_and_the_others_at_once) {
  TestShard shard;
  shard.open(5, on({"a"}));
  shard.open(6, on({"a"}));
  shard.run();
  shard.sockets.at(5).room = 3;
  std::vector<std::string> sent;
  for (int i = 0; i < 300; ++i) {
    sent.push_back(std::to_string(i));
    shard.publish({"a"}, sent.back());
    shard.run();
  }
  EXPECT_EQ(shard.data(6), sent);
  EXPECT_THAT(shard.data(5), IsEmpty());
  for (int i = 0; i < 5000 && shard.data(5) != sent; ++i) {
    shard.give_room(5, 7);
    shard.run();
  }
  EXPECT_EQ(shard.data(5), sent);
  EXPECT_EQ(shard.sockets.at(5).got.substr(shard.sockets.at(5).got.find("data: 0\n")),
            shard.sockets.at(6).got.substr(shard.sockets.at(6).got.find("data: 0\n")));
}

TEST(FanOut, writes_no_heartbeat_into_a_block) {
  TestShard shard;
  shard.open(5, on({"a"}));
  shard.run();
  shard.sockets.at(5).room = 9;
  shard.publish({"a"}, std::string(1000, 'x'));
  shard.run();
  for (int i = 0; i < 100; ++i) {
    shard.advance(20s);
    shard.give_room(5, 9);
    shard.run();
  }
  shard.give_room(5, FakeSockets::kEndless);
  shard.advance(40s);
  EXPECT_THAT(shard.data(5), ElementsAre(std::string(1000, 'x')));
  EXPECT_THAT(shard.sockets.at(5).got, EndsWith("\n\n:\n:\n"));
}

TEST(FanOut, sends_an_event_larger_than_the_window_to_a_reader_of_small_reads) {
  TestShard shard(std::size_t{1} << 20);
  shard.open(5, on({"a"}));
  shard.run();
  shard.sockets.at(5).room = 1024;
  const std::string large(std::size_t{1} << 20, 'x');
  shard.publish({"a"}, large);
  shard.publish({"b"}, large);  // leaves no room for the first one
  shard.run();
  for (int i = 0; i < 1100; ++i) {
    shard.advance(1s);
    shard.give_room(5, 1024);
    shard.run();
  }
  EXPECT_THAT(shard.data(5), ElementsAre(large));
  EXPECT_LE(shard.fan_out().stats().storage_reads, 2U);
}

TEST(FanOut, lets_a_private_event_reach_only_those_who_may_read_it_live) {
  TestShard shard;
  shard.open(5, on({"a"}));
  shard.open(6, {.selection = {.all = true}, .grant = reader_of({"a"})});
  shard.open(7, {.selection = {.all = true}, .grant = reader_of({"b"})});
  shard.publish({"a"}, "secret", true);
  shard.publish({"a"}, "open");
  shard.publish({"x", "b"}, "alternate", true);
  shard.run();
  EXPECT_THAT(shard.data(5), ElementsAre("open"));
  EXPECT_THAT(shard.data(6), ElementsAre("secret", "open"));
  EXPECT_THAT(shard.data(7), ElementsAre("open", "alternate"));
}

TEST(FanOut, lets_a_private_event_reach_who_may_read_any_of_its_topics_whichever_was_asked_for) {
  TestShard shard;
  shard.open(5, {.selection = {.topics = {"a"}}, .grant = reader_of({"other", "a"})});
  shard.open(6, {.selection = {.topics = {"a"}}, .grant = reader_of({"b"})});
  shard.open(7, {.selection = {.topics = {"a", "b"}}, .grant = reader_of({"b"})});
  shard.open(8, {.selection = {.topics = {"a"}}, .grant = reader_of({"other"})});
  shard.open(9, {.selection = {.topics = {"other"}}, .grant = reader_of({"a"})});
  shard.publish({"a"}, "a", true);
  shard.publish({"a", "b"}, "a and b", true);
  shard.publish({"b"}, "b", true);
  shard.publish({"a"}, "open");
  shard.run();
  EXPECT_THAT(shard.data(5), ElementsAre("a", "a and b", "open"));
  EXPECT_THAT(shard.data(6), ElementsAre("a and b", "open"));
  EXPECT_THAT(shard.data(7), ElementsAre("a and b", "b", "open"));
  EXPECT_THAT(shard.data(8), ElementsAre("open"));
  EXPECT_THAT(shard.data(9), IsEmpty());
}

TEST(FanOut, lets_a_private_event_reach_only_those_who_may_read_it_from_window_and_storage) {
  for (const std::size_t window_bytes : {std::size_t{1} << 20, std::size_t{1}}) {
    TestShard shard(window_bytes);
    const log::Position begin = shard.log.begin();
    shard.publish({"a"}, "secret", true);
    shard.publish({"a"}, "open");
    shard.publish({"a"}, "end", true);
    shard.run();
    shard.open(5, since(begin, {"a"}));
    shard.open(6, {.selection = {.all = true}, .grant = reader_of({"a"}), .after = begin});
    shard.open(7, {.selection = {.all = true}, .grant = reader_of({"b"}), .after = begin});
    shard.run();
    EXPECT_THAT(shard.data(5), ElementsAre("open"));
    EXPECT_THAT(shard.data(6), ElementsAre("secret", "open", "end"));
    EXPECT_THAT(shard.data(7), ElementsAre("open"));
    EXPECT_EQ(shard.fan_out().stats().storage_reads > 0, window_bytes == 1);
  }
}

TEST(FanOut, reads_a_page_of_history_once_for_readers_who_come_together) {
  TestShard shard(1);
  const log::Position begin = shard.log.begin();
  std::vector<std::string> sent;
  for (int i = 0; i < 100; ++i) {
    sent.push_back(std::to_string(i));
    shard.publish({"a"}, sent.back());
  }
  shard.run();
  shard.log.held = true;
  for (int fd = 5; fd < 105; ++fd) {
    shard.open(
        fd, since({.epoch = begin.epoch, .offset = begin.offset + (fd % 2 == 0 ? 1U : 0U)}, {"a"}));
  }
  shard.run();
  shard.log.release();
  shard.run();
  EXPECT_EQ(shard.data(5), sent);
  EXPECT_THAT(shard.data(6), SizeIs(99));
  EXPECT_LE(shard.fan_out().stats().storage_reads, 2U);
}

TEST(FanOut, reads_many_pages_of_several_topics_once_whatever_their_order) {
  TestShard shard(1);
  const log::Position begin = shard.log.begin();
  std::vector<std::string> sent;
  for (int i = 0; i < 2500; ++i) {
    sent.push_back(std::to_string(i));
    shard.publish({i % 2 == 0 ? "a" : "b"}, sent.back());
    shard.publish({"c"}, "other");
  }
  shard.run();
  shard.open(5, since(begin, {"a", "b"}));
  shard.open(6, since(begin, {"b", "a"}));
  shard.run();
  EXPECT_EQ(shard.data(5), sent);
  EXPECT_EQ(shard.data(6), sent);
  EXPECT_EQ(shard.fan_out().stats().storage_reads, 3U);
}

TEST(FanOut, reads_history_once_for_each_of_more_readers_than_the_cache_has_pages_for) {
  TestShard shard(1, {.page_cache_bytes_max = 1});
  const log::Position begin = shard.log.begin();
  for (int fd = 5; fd < 105; ++fd) {
    shard.publish({std::to_string(fd)}, "x");
  }
  shard.run();
  shard.log.held = true;
  for (int fd = 5; fd < 105; ++fd) {
    shard.open(fd, since(begin, {std::to_string(fd)}));
  }
  shard.run();
  shard.log.release();
  shard.run();
  for (int fd = 5; fd < 105; ++fd) {
    EXPECT_THAT(shard.data(fd), SizeIs(1)) << fd;
  }
  EXPECT_EQ(shard.fan_out().stats().storage_reads, 100U);
}

TEST(FanOut, asks_storage_again_when_it_did_not_answer) {
  TestShard shard(1);
  const log::Position begin = shard.log.begin();
  shard.publish({"a"}, "one");
  shard.publish({"a"}, "two");
  shard.run();
  shard.log.unavailable = true;
  shard.open(5, since(begin, {"a"}));
  // The tail asks again at once, so let it run in turns.
  for (int i = 0; i < 100; ++i) {
    shard.loop.poll_one();
  }
  EXPECT_THAT(shard.data(5), IsEmpty());
  EXPECT_EQ(shard.fan_out().stats().failed_reads, 1U);
  shard.log.unavailable = false;
  shard.advance(1s);
  EXPECT_THAT(shard.data(5), ElementsAre("one", "two"));
  EXPECT_EQ(shard.fan_out().stats().failed_reads, 1U);
}

TEST(FanOut, announces_a_gap_to_a_reader_that_retention_overtook) {
  TestShard shard(1);
  shard.open(5, on({"a"}));
  shard.run();
  shard.sockets.at(5).room = 0;
  const log::Position one = shard.publish({"a"}, "one");
  shard.run();
  const log::Position two = shard.publish({"a"}, "two");
  shard.run();
  shard.publish({"a"}, "three");
  shard.run();
  shard.log.remove_to(two.offset);
  shard.give_room(5, FakeSockets::kEndless);
  shard.run();
  EXPECT_THAT(types(shard.seen(5)), ElementsAre("vrelo.gap", "message"));
  EXPECT_THAT(shard.seen(5).events[0].data,
              HasSubstr(R"("after":")" + log::event_id({one.epoch, one.offset - 1})));
  EXPECT_EQ(shard.seen(5).events[0].last_event_id, log::event_id(two));
  EXPECT_THAT(shard.data(5), ElementsAre("three"));
  EXPECT_EQ(shard.fan_out().stats().gaps, 1U);
}

TEST(FanOut, announces_no_gap_to_a_reader_whose_topics_lost_nothing) {
  TestShard shard(1);
  const log::Position quiet = shard.publish({"quiet"}, "one");
  for (int i = 0; i < 10; ++i) {
    shard.publish({"busy"}, "x");
  }
  shard.run();
  shard.log.remove_to(quiet.offset + 9);
  shard.open(5, since(quiet, {"quiet"}));
  shard.run();
  shard.publish({"quiet"}, "two");
  shard.run();
  EXPECT_THAT(types(shard.seen(5)), ElementsAre("message"));
}

TEST(FanOut, tells_a_stream_nothing_of_what_another_one_with_its_descriptor_asked_for) {
  TestShard shard(1);
  const log::Position first = shard.publish({"lost"}, "x");
  shard.publish({"lost"}, "x");
  shard.publish({"kept"}, "one");
  shard.run();
  shard.log.held = true;
  shard.open(5, since(first, {"lost"}));
  shard.run();
  shard.fan_out().on_gone(5);
  shard.open(5, since(first, {"kept"}));
  shard.run();
  shard.log.remove_to(first.offset + 1);
  shard.log.release();
  shard.run();
  EXPECT_THAT(types(shard.seen(5)), ElementsAre("message"));
  EXPECT_THAT(shard.data(5), ElementsAre("one"));
}

TEST(FanOut, lets_those_who_have_room_again_wait_for_their_turn) {
  TestShard shard;
  shard.open(5, on({"a"}));
  shard.run();
  shard.sockets.at(5).room = 0;
  shard.publish({"a"}, "one");
  shard.run();
  const std::size_t writes = shard.sockets.at(5).writes;
  shard.give_room(5, FakeSockets::kEndless);
  EXPECT_EQ(shard.sockets.at(5).writes, writes);
  shard.run();
  EXPECT_THAT(shard.data(5), ElementsAre("one"));
}

TEST(FanOut, closes_a_stream_inside_a_block_whose_record_is_gone) {
  TestShard shard(1);
  shard.open(5, on({"a"}));
  shard.run();
  shard.sockets.at(5).room = 10;
  const log::Position one = shard.publish({"a"}, "one");
  shard.run();
  shard.publish({"a"}, "two");
  shard.run();
  shard.log.remove_to(one.offset);
  shard.give_room(5, FakeSockets::kEndless);
  shard.run();
  EXPECT_TRUE(shard.sockets.at(5).closed);
  EXPECT_EQ(shard.fan_out().stats().closed_record_gone, 1U);
}

TEST(FanOut, announces_a_gap_where_the_log_was_replaced) {
  TestShard shard;
  shard.open(5, on({"a"}));
  shard.publish({"a"}, "one");
  shard.run();
  shard.log.replace();
  shard.publish({"a"}, "two");
  shard.run();
  shard.publish({"a"}, "three");
  shard.run();
  EXPECT_THAT(types(shard.seen(5)), ElementsAre("message", "vrelo.gap", "message", "message"));
  EXPECT_THAT(shard.data(5), ElementsAre("one", "two", "three"));
}

TEST(FanOut, takes_no_window_that_has_not_begun_for_a_log_that_was_replaced) {
  TestShard shard(1000, {}, false);
  shard.publish({"a"}, "before");
  shard.open(5, on({"a"}));
  shard.run();
  shard.follow();
  shard.publish({"a"}, "after");
  shard.run();
  EXPECT_THAT(shard.data(5), ElementsAre("after"));
  EXPECT_EQ(shard.fan_out().stats().gaps, 0U);
}

TEST(FanOut, lets_others_go_on_while_the_window_follows_the_log) {
  TestShard shard(std::size_t{1} << 20, {}, false);
  for (int i = 0; i < 5000; ++i) {
    shard.publish({"a"}, "");
  }
  boost::asio::co_spawn(shard.loop, shard.window.follow(shard.log, nullptr), boost::asio::detached);
  std::uint64_t followed = 0;
  boost::asio::post(shard.loop, [&] { followed = shard.window.end().offset; });
  shard.run();
  EXPECT_LE(followed, 1000U);
  EXPECT_EQ(shard.window.end(), shard.log.end());
}

TEST(FanOut, announces_no_gap_to_a_stream_that_came_before_the_window_saw_the_new_log) {
  TestShard shard;
  shard.publish({"a"}, "one");
  shard.run();
  shard.log.replace();
  shard.open(5, on({"a"}));
  shard.run();
  shard.publish({"a"}, "two");
  shard.run();
  EXPECT_THAT(types(shard.seen(5)), ElementsAre("message"));
}

TEST(FanOut, loses_nothing_where_the_window_let_go_before_the_shard_took) {
  TestShard shard(200);
  for (int fd = 5; fd < 20; ++fd) {
    shard.open(fd, on({"a"}));
  }
  shard.run();
  std::vector<std::string> sent;
  for (int i = 0; i < 50; ++i) {
    sent.push_back(std::to_string(i));
    shard.publish({"a"}, sent.back());
  }
  shard.run();
  for (int fd = 5; fd < 20; ++fd) {
    EXPECT_EQ(shard.data(fd), sent);
  }
}

TEST(FanOut, closes_a_stream_whose_socket_breaks_in_a_round) {
  TestShard shard;
  for (int fd = 5; fd < 25; ++fd) {
    shard.open(fd, on({"a"}));
  }
  shard.run();
  shard.sockets.at(7).broken = true;
  shard.sockets.at(8).broken = true;
  shard.publish({"a"}, "x");
  shard.run();
  shard.publish({"a"}, "y");
  shard.run();
  EXPECT_TRUE(shard.sockets.at(7).closed);
  EXPECT_EQ(shard.fan_out().stats().streams, 18U);
  for (const int fd : {5, 6, 9, 24}) {
    EXPECT_THAT(shard.data(fd), ElementsAre("x", "y"));
  }
}

TEST(FanOut, drains_its_streams_evenly_with_a_time_to_come_back) {
  TestShard shard;
  for (int fd = 100; fd < 200; ++fd) {
    shard.open(fd, on({"a"}));
  }
  shard.run();
  bool done = false;
  shard.fan_out().drain(20s, [&done] { done = true; });
  const auto closed = [&shard] { return shard.fan_out().stats().closed_drain; };
  shard.advance(5s);
  EXPECT_NEAR(static_cast<double>(closed()), 25, 5);
  shard.advance(5s);
  EXPECT_NEAR(static_cast<double>(closed()), 50, 5);
  EXPECT_FALSE(done);
  shard.publish({"a"}, "accepted");
  shard.advance(10'500ms);
  EXPECT_TRUE(done);
  EXPECT_EQ(closed(), 100U);
  std::vector<std::chrono::milliseconds> retries;
  for (int fd = 100; fd < 200; ++fd) {
    retries.push_back(shard.seen(fd).retries.back());
    EXPECT_THAT(shard.sockets.at(fd).got, EndsWith("\n\n"));
  }
  EXPECT_THAT(retries, Each(::testing::AllOf(::testing::Ge(2100ms), ::testing::Le(3900ms))));
  EXPECT_NE(retries.front(), retries.back());
}

TEST(FanOut, ends_a_stream_whose_right_has_ended) {
  TestShard shard;
  shard.open(5, on({"a"}));
  shard.run();
  shard.fan_out().end(5, "revoked");
  EXPECT_TRUE(shard.sockets.at(5).closed);
  EXPECT_THAT(shard.sockets.at(5).got, EndsWith("data: {\"reason\":\"revoked\"}\n\n"));
  EXPECT_EQ(shard.fan_out().stats().closed_ended, 1U);
}

TEST(FanOut, ends_a_stream_without_a_word_inside_an_event) {
  TestShard shard;
  shard.open(5, on({"a"}));
  shard.run();
  shard.sockets.at(5).room = 3;
  shard.publish({"a"}, "data");
  shard.advance(1s);
  const std::string got = shard.sockets.at(5).got;
  shard.sockets.at(5).room = FakeSockets::kEndless;
  shard.fan_out().end(5, "expired");
  EXPECT_TRUE(shard.sockets.at(5).closed);
  EXPECT_EQ(shard.sockets.at(5).got, got);
}

TEST(FanOut, is_drained_at_once_without_streams) {
  TestShard shard;
  bool done = false;
  shard.fan_out().drain(20s, [&done] { done = true; });
  EXPECT_TRUE(done);
}

}  // namespace
}  // namespace vrelo::fanout
