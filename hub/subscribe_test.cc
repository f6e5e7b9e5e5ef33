// SPDX-License-Identifier: Apache-2.0
#include "hub/subscribe.h"

#include <optional>
#include <string>
#include <utility>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <boost/asio/co_spawn.hpp>

#include "hub/fanout/shard_testing.h"
#include "hub/log/event_id.h"

namespace vrelo {
namespace {

using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::StartsWith;

class Subscribe : public ::testing::Test {
 protected:
  void subscribe(int fd, Subscription subscription) {
    boost::asio::co_spawn(shard_.loop, serve(fd, std::move(subscription)), boost::asio::detached);
    shard_.run();
  }

  base::Task<void> serve(int fd, Subscription subscription) {
    const auto resume = co_await resolve_cursor(shard_.fan_out(), subscription);
    resumed_ = resume.value();
    open_stream(shard_.fan_out(), fd, subscription, *resume, "head\n");
  }

  static Subscription from(std::optional<std::string> cursor) {
    return {.selection = {.all = true},
            .grant = fanout::TestShard::nobody(),
            .cursor = std::move(cursor),
            .hello = fanout::Hello::kNamed};
  }

  fanout::TestShard shard_;
  Resume resumed_;
};

TEST_F(Subscribe, begins_at_the_end_without_a_cursor) {
  shard_.publish({"a"}, "before");
  subscribe(5, from(std::nullopt));
  shard_.publish({"a"}, "after");
  shard_.run();
  EXPECT_THAT(shard_.sockets.at(5).got, StartsWith("head\n: vrelo heartbeat=15\n"));
  EXPECT_THAT(shard_.data(5), ElementsAre("after"));
  EXPECT_EQ(resumed_.last_event_id, "");
}

TEST_F(Subscribe, goes_on_after_the_cursor) {
  const log::Position one = shard_.publish({"a"}, "one");
  shard_.publish({"a"}, "two");
  shard_.run();
  subscribe(5, from(log::event_id(one)));
  EXPECT_THAT(shard_.data(5), ElementsAre("two"));
  EXPECT_EQ(resumed_.last_event_id, log::event_id(one));
}

// It comes from a stream that a ticket opened.
TEST_F(Subscribe, takes_an_id_with_a_proof_behind_it_for_the_id) {
  const std::string proof = "~AQIDG_lqYOFHdr1o62M-hg";
  const log::Position one = shard_.publish({"a"}, "one");
  shard_.log.put({.topics = {"a"}, .id = "mine" + proof, .data = "two"});
  shard_.log.put({.topics = {"a"}, .id = "mine", .data = "three"});
  shard_.publish({"a"}, "four");
  shard_.run();
  subscribe(5, from(log::event_id(one) + proof));
  EXPECT_THAT(shard_.data(5), ElementsAre("two", "three", "four"));
  EXPECT_EQ(resumed_.last_event_id, log::event_id(one));
  subscribe(6, from("mine" + proof));
  EXPECT_THAT(shard_.data(6), ElementsAre("three", "four")) << "as it stands";
  subscribe(7, from("mine" + proof + proof));
  EXPECT_THAT(shard_.data(7), ElementsAre("three", "four"));
  subscribe(8, from("unknown" + proof));
  ASSERT_TRUE(resumed_.gap);
  EXPECT_EQ(resumed_.gap->cursor, "unknown") << "a proof is told to nobody";
}

TEST_F(Subscribe, ends_each_id_as_the_stream_wants_it) {
  const log::Position one = shard_.publish({"a"}, "one");
  shard_.run();
  Subscription subscription = from(std::nullopt);
  subscription.id_suffix = "~x";
  subscribe(5, subscription);
  EXPECT_THAT(shard_.sockets.at(5).got, EndsWith("id: " + log::event_id(one) + "~x\n\n"));
  subscription.cursor = "nobody's";
  subscribe(6, subscription);
  EXPECT_THAT(shard_.sockets.at(6).got, ::testing::HasSubstr("~x\n\ndata: one\n"));
}

TEST_F(Subscribe, begins_a_short_stream_where_its_reader_goes_on) {
  const log::Position one = shard_.publish({"a"}, "one");
  const log::Position two = shard_.publish({"a"}, "two");
  shard_.run();
  const Subscription subscription = from(std::nullopt);
  EXPECT_THAT(short_stream(shard_.fan_out(), subscription, {}, "head\n"),
              EndsWith("id: " + log::event_id(two) + "\n\n"));
  EXPECT_THAT(short_stream(shard_.fan_out(), subscription, {.after = one}, "head\n"),
              EndsWith("id: " + log::event_id(one) + "\n\n"));
}

// A reader that was cut between the two would come back behind the gap, and never be told of it.
TEST_F(Subscribe, moves_the_cursor_over_a_gap_in_the_block_that_tells_of_it) {
  const log::Position one = shard_.publish({"a"}, "one");
  shard_.publish({"a"}, "two");
  shard_.run();
  shard_.log.remove_to(one.offset);
  subscribe(5, from("nobody's"));
  const std::string& got = shard_.sockets.at(5).got;
  EXPECT_THAT(got.substr(0, got.find("\n\n") + 2),
              EndsWith("event: vrelo.gap\n"
                       "data: {\"reason\":\"unknown\",\"after\":\"nobody's\",\"until\":\"" +
                       log::event_id(one) + "\"}\nid: " + log::event_id(one) + "\n\n"));
  EXPECT_THAT(shard_.data(5), ElementsAre("two"));
  EXPECT_EQ(resumed_.last_event_id, "earliest");
}

}  // namespace
}  // namespace vrelo
