// SPDX-License-Identifier: Apache-2.0
//
// A witness that sees nothing would let every seed pass.
#include "sim/witness.h"

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>

#include "hub/log/event_id.h"
#include "sim/random.h"
#include "sim/schedule.h"
#include "sim/store.h"

namespace vrelo::sim {
namespace {

using ::testing::HasSubstr;

// A reader of "a" who may read what is private on "mine", and a log for it.
class WitnessTest : public ::testing::Test {
 protected:
  log::Position put(std::string data,
                    std::string topic = "a",
                    bool is_private = false,
                    std::string id = "") {
    log::Event event{.topics = {std::move(topic), "mine"},
                     .id = std::move(id),
                     .data = std::move(data),
                     .is_private = is_private};
    event.topics.resize(is_private ? 1 : 2);
    boost::asio::co_spawn(
        loop_,
        [](log::Log& log, log::Event given) -> base::Task<void> {
          co_await log.append(std::move(given));
        }(*log_, std::move(event)),
        boost::asio::detached);
    do {
      loop_.restart();
      loop_.poll();
      schedule_.run_all();
    } while (loop_.poll() > 0);
    return {.epoch = store_.chapter().epoch, .offset = store_.chapter().end};
  }

  // The stream begins at `position`, without a cursor.
  void begin(log::Position position) {
    witness_.on_request(std::nullopt);
    witness_.on_head(std::nullopt);
    witness_.on_begin(log::event_id(position));
  }

  void see(log::Position position, std::string_view data, std::string_view type = "message") {
    const std::string id = log::event_id(position);
    witness_.on_event({.type = type, .data = data, .last_event_id = id});
  }

  void see_gap(std::string_view reason, log::Position after, log::Position until) {
    see(until,
        R"({"reason":")" + std::string(reason) + R"(","after":")" + log::event_id(after) +
            R"(","until":")" + log::event_id(until) + R"("})",
        "vrelo.gap");
  }

  Random random_{1};
  Schedule schedule_{random_};
  Store store_{schedule_, random_};
  boost::asio::io_context loop_{1};
  std::unique_ptr<log::Log> log_ = store_.log(loop_.get_executor());
  log::Position start_{.epoch = store_.chapter().epoch, .offset = 0};
  Witness witness_{store_,
                   {.topics = {"a"}},
                   std::make_shared<const auth::Grant>(
                       auth::Grant{.publish = {}, .read_private = {.listed = {"mine"}}})};
};

TEST_F(WitnessTest, is_content_with_what_is_for_the_reader_in_order) {
  begin(start_);
  const log::Position one = put("one");
  put("another's", "b");
  const log::Position two = put("two");
  see(one, "one");
  EXPECT_EQ(witness_.unread(), log::event_id(two) + " (two…)");
  see(two, "two");
  EXPECT_EQ(witness_.unread(), "");
  EXPECT_EQ(witness_.fault(), "");
}

TEST_F(WitnessTest, sees_no_time_decrease_where_the_time_of_day_is_set_back) {
  begin(start_);
  const log::Position one = put("one");
  schedule_.step_wall(-std::chrono::hours(24));
  const log::Position two = put("two");
  schedule_.step_wall(std::chrono::hours(48));
  const log::Position three = put("three");
  see(one, "one");
  see(two, "two");
  see(three, "three");
  EXPECT_EQ(witness_.fault(), "");
}

TEST_F(WitnessTest, sees_that_an_event_was_left_out) {
  begin(start_);
  put("one");
  see(put("two"), "two");
  EXPECT_THAT(witness_.fault(), HasSubstr("(one…)"));
}

TEST_F(WitnessTest, sees_that_an_event_came_twice) {
  begin(start_);
  const log::Position one = put("one");
  see(one, "one");
  see(one, "one");
  EXPECT_THAT(witness_.fault(), HasSubstr("which it has seen"));
}

TEST_F(WitnessTest, sees_that_the_log_does_not_have_an_event) {
  begin(start_);
  see({.epoch = start_.epoch, .offset = 1}, "one");
  EXPECT_THAT(witness_.fault(), HasSubstr("which the log does not have"));
}

TEST_F(WitnessTest, sees_that_an_event_was_not_for_the_reader) {
  begin(start_);
  see(put("another's", "b"), "another's");
  EXPECT_THAT(witness_.fault(), HasSubstr("which it did not ask for"));
}

TEST_F(WitnessTest, sees_that_a_private_event_reached_one_who_may_not_read_it) {
  begin(start_);
  see(put("secret", "a", true), "secret");
  EXPECT_THAT(witness_.fault(), HasSubstr("which it may not read"));
}

TEST_F(WitnessTest, sees_that_a_cursor_was_moved_past_an_unread_event) {
  begin(start_);
  put("one");
  const log::Position end = put("another's", "b");
  witness_.on_moved(log::event_id(end));
  EXPECT_THAT(witness_.fault(), HasSubstr("past unread"));
}

TEST_F(WitnessTest, sees_that_a_cursor_was_moved_back) {
  begin(start_);
  see(put("one"), "one");
  witness_.on_moved(log::event_id(start_));
  EXPECT_THAT(witness_.fault(), HasSubstr("moved to"));
}

TEST_F(WitnessTest, takes_a_gap_where_retention_removed_what_was_for_the_reader) {
  begin(start_);
  const log::Position one = put("one");
  store_.remove(1);
  see_gap("retention", start_, one);
  EXPECT_EQ(witness_.fault(), "");
  EXPECT_EQ(witness_.unread(), "");
}

TEST_F(WitnessTest, takes_a_gap_after_an_id_that_an_earlier_epoch_had_too) {
  put("one", "a", false, "id");
  store_.replace();
  put("one", "a", false, "id");
  const log::Position two = put("two");
  store_.remove(1);
  witness_.on_request("id");
  witness_.on_head("earliest");
  const std::string until = log::event_id(two);
  const std::string data = R"({"reason":"retention","after":"id","until":")" + until + R"("})";
  witness_.on_begin_with_gap({.type = "vrelo.gap", .data = data, .last_event_id = until});
  EXPECT_EQ(witness_.fault(), "");
  EXPECT_EQ(witness_.unread(), "");
}

TEST_F(WitnessTest, sees_that_a_gap_has_no_reason) {
  begin(start_);
  const log::Position other = put("another's", "b");
  store_.remove(1);
  see_gap("retention", start_, other);
  EXPECT_THAT(witness_.fault(), HasSubstr("where nothing is missing"));
}

TEST_F(WitnessTest, sees_that_a_gap_ends_before_the_history_does) {
  begin(start_);
  see_gap("retention", start_, put("one"));
  EXPECT_THAT(witness_.fault(), HasSubstr("ends where nothing does"));
}

TEST_F(WitnessTest, sees_that_a_gap_was_passed_in_silence) {
  begin(start_);
  put("one");
  const log::Position two = put("two");
  store_.remove(0.5);
  see(two, "two");
  EXPECT_THAT(witness_.fault(), HasSubstr("(one…)"));
}

TEST_F(WitnessTest, sees_that_a_reader_came_back_behind_what_it_had_not_seen) {
  begin(start_);
  const log::Position one = put("one");
  const std::string cursor = log::event_id(start_);
  witness_.on_request(cursor);
  witness_.on_head(cursor);
  witness_.on_begin(log::event_id(one));
  EXPECT_THAT(witness_.fault(), HasSubstr("told of no gap"));
}

TEST_F(WitnessTest, sees_that_the_answer_and_the_stream_contradict_each_other) {
  begin(start_);
  const std::string cursor = log::event_id(start_);
  witness_.on_request(cursor);
  witness_.on_head("earliest");
  witness_.on_begin(cursor);
  EXPECT_THAT(witness_.fault(), HasSubstr("told of no gap"));
}

}  // namespace
}  // namespace vrelo::sim
