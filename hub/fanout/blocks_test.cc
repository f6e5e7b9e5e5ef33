// SPDX-License-Identifier: Apache-2.0
#include "hub/fanout/blocks.h"

#include <chrono>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "hub/fanout/encoded_record.h"

namespace vrelo::fanout {
namespace {

using std::chrono_literals::operator""ms;
using std::chrono_literals::operator""s;

constexpr log::Position kHere{.epoch = 1, .offset = 42};

TEST(Blocks, begin_a_stream_with_heartbeat_retry_and_position) {
  EXPECT_EQ(first_block(Hello::kQuiet, 15s, 3000ms, kHere),
            ": vrelo heartbeat=15\nretry: 3000\nid: #AAAAAAAAAAE.42\n\n");
  EXPECT_EQ(
      first_block(Hello::kNamed, 15s, 3000ms, kHere),
      ": vrelo heartbeat=15\nevent: vrelo.hello\nretry: 3000\ndata: \nid: #AAAAAAAAAAE.42\n\n");
}

TEST(Blocks, end_each_id_as_the_stream_wants_it) {
  EXPECT_THAT(first_block(Hello::kNamed, 15s, 3000ms, kHere, "~x"),
              ::testing::EndsWith("id: #AAAAAAAAAAE.42~x\n\n"));
  EXPECT_THAT(position_block(Hello::kQuiet, kHere, "~x"),
              ::testing::EndsWith("id: #AAAAAAAAAAE.42~x\n\n"));
  EXPECT_THAT(gap_block("epoch", "a", kHere, "~x"),
              ::testing::EndsWith("\"until\":\"#AAAAAAAAAAE.42\"}\nid: #AAAAAAAAAAE.42~x\n\n"));
}

TEST(Blocks, say_that_a_session_will_end) {
  EXPECT_EQ(renew_block(30s), "event: vrelo.renew\ndata: {\"in\":30}\n\n");
}

TEST(Blocks, leave_the_position_to_a_gap_that_a_stream_begins_with) {
  EXPECT_EQ(lines_before_gap(15s, 3000ms), ": vrelo heartbeat=15\nretry: 3000\n");
}

TEST(Blocks, move_the_cursor) {
  EXPECT_EQ(position_block(Hello::kQuiet, kHere), "id: #AAAAAAAAAAE.42\n\n");
  EXPECT_EQ(position_block(Hello::kNamed, kHere),
            "event: vrelo.position\ndata: \nid: #AAAAAAAAAAE.42\n\n");
}

TEST(Blocks, say_what_is_missing_whatever_the_reader_called_its_cursor) {
  EXPECT_EQ(
      gap_block("unknown", "urn:\"x\"\n", kHere),
      "event: vrelo.gap\n"
      "data: "
      "{\"reason\":\"unknown\",\"after\":\"urn:\\\"x\\\"\\n\",\"until\":\"#AAAAAAAAAAE.42\"}\n"
      "id: #AAAAAAAAAAE.42\n\n");
}

TEST(Blocks, ask_to_come_back) {
  EXPECT_EQ(retry_block(2900ms), "retry: 2900\n\n");
}

TEST(Blocks, say_that_a_right_has_ended) {
  EXPECT_EQ(end_block("expired", 2900ms),
            "event: vrelo.end\nretry: 2900\ndata: {\"reason\":\"expired\"}\n\n");
}

std::string encoded(log::Event event) {
  return std::string(encode({1, 2}, {.position = kHere, .stored_at = {}, .event = std::move(event)})
                         ->block.bytes());
}

TEST(EncodedRecord, has_the_publishers_id_or_one_of_its_position) {
  EXPECT_EQ(encoded({.topics = {"a"}, .id = "urn:1", .data = "x"}), "data: x\nid: urn:1\n\n");
  EXPECT_EQ(encoded({.topics = {"a"}, .data = "x"}), "data: x\nid: #AAAAAAAAAAE.42\n\n");
}

TEST(EncodedRecord, keeps_a_publishers_retry_between_half_a_second_and_five_minutes) {
  EXPECT_EQ(encoded({.topics = {"a"}, .id = "1", .retry = 0ms}), "retry: 500\ndata: \nid: 1\n\n");
  EXPECT_EQ(encoded({.topics = {"a"}, .id = "1", .retry = 1000s}),
            "retry: 300000\ndata: \nid: 1\n\n");
}

}  // namespace
}  // namespace vrelo::fanout
