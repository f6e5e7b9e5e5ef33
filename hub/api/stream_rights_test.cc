// SPDX-License-Identifier: Apache-2.0
#include "hub/api/stream_rights.h"

#include <chrono>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "hub/auth/ticket_testing.h"
#include "hub/auth/token_testing.h"
#include "hub/fanout/shard_testing.h"

namespace vrelo::api {
namespace {

using std::chrono_literals::operator""h;
using std::chrono_literals::operator""min;
using std::chrono_literals::operator""ms;
using std::chrono_literals::operator""s;

TEST(StreamRights, end_with_the_tokens_real_time_where_the_time_of_day_is_set) {
  for (const std::chrono::hours step : {24h, -24h}) {
    SCOPED_TRACE(step.count());
    fanout::TestShard shard;
    net::Deadlines deadlines(shard.clock, shard.alarms.maker());
    StreamRights rights(shard.clock, deadlines, shard.fan_out());
    auth::VerifiedToken token;
    token.claims.expires = shard.clock.wall().time_since_epoch() + 1h;
    const auto right =
        rights.make(5, std::make_shared<const auth::VerifiedToken>(std::move(token)), {}, 0ms);
    ASSERT_NE(right, nullptr);
    shard.open(5, {});
    shard.run();

    shard.advance(1min);
    shard.clock.step_wall(step);
    shard.advance(58min);
    shard.clock.step_wall(-2 * step);
    shard.advance(59s);
    ASSERT_FALSE(shard.sockets.at(5).closed);
    shard.advance(1s);
    EXPECT_TRUE(shard.sockets.at(5).closed);
    EXPECT_EQ(shard.fan_out().stats().closed_ended, 1U);
    const sse::Seen seen = shard.seen(5);
    ASSERT_FALSE(seen.events.empty());
    EXPECT_EQ(seen.events.back().type, "vrelo.end");
    EXPECT_EQ(seen.events.back().data, R"({"reason":"expired"})");
  }
}

TEST(StreamRights, end_when_their_subject_is_revoked_though_the_clock_was_set_back) {
  fanout::TestShard shard;
  net::Deadlines deadlines(shard.clock, shard.alarms.maker());
  StreamRights rights(shard.clock, deadlines, shard.fan_out());
  const auth::testing::Issuers issuers;
  auth::VerifiedToken token{.issuer_name = "https://app.example", .key = issuers.app.verifying()};
  token.claims.subject = "eva";
  token.claims.issued_at = shard.clock.wall().time_since_epoch();
  const auto right =
      rights.make(5, std::make_shared<const auth::VerifiedToken>(std::move(token)), {}, 0ms);
  ASSERT_NE(right, nullptr);
  shard.open(5, {});
  shard.run();

  shard.clock.step_wall(-1h);
  auth::TrustPolicy trust{.issuers = issuers.all()};
  rights.set_trust(&trust);
  shard.advance(1s);
  EXPECT_FALSE(shard.sockets.at(5).closed);
  trust.revocations = std::make_shared<const auth::Revocations>(
      std::vector<auth::Revocation>{{.issuer = "https://app.example",
                                     .kind = auth::Revocation::Kind::kSubject,
                                     .name = "eva",
                                     .at = shard.clock.wall().time_since_epoch()}},
      shard.clock.steady());
  rights.set_trust(&trust);
  shard.advance(1s);
  EXPECT_TRUE(shard.sockets.at(5).closed);
  EXPECT_EQ(shard.seen(5).events.back().data, R"({"reason":"revoked"})");
}

// A shard with streams of tickets whose sessions end after some time.
class StreamRightsOfSessions : public ::testing::Test {
 protected:
  void open(int fd, std::chrono::milliseconds ends_in) {
    streams.push_back(rights.make(fd,
                                  {.seat = SessionSeat(office, auth::test_digest(fd), 1),
                                   .place = {},
                                   .terms = auth::test_terms(),
                                   .end = shard.clock.steady() + ends_in},
                                  0ms));
    shard.open(fd, {});
    shard.run();
  }

  fanout::TestShard shard;
  net::Deadlines deadlines{shard.clock, shard.alarms.maker()};
  StreamRights rights{shard.clock, deadlines, shard.fan_out()};
  auth::TicketOffice office{{.clock = shard.clock, .executor = shard.loop.get_executor()}};
  std::vector<std::unique_ptr<net::StreamRight>> streams;
};

TEST_F(StreamRightsOfSessions, say_24_to_36_s_before_their_end_that_they_end) {
  constexpr int kFirst = 5;
  constexpr int kEnd = 45;
  for (int fd = kFirst; fd < kEnd; ++fd) {
    open(fd, 1h);
  }
  shard.advance(1h - 36s - 1ms);
  for (int fd = kFirst; fd < kEnd; ++fd) {
    ASSERT_TRUE(shard.seen(fd).events.empty());
  }
  std::set<std::string> told;
  for (int left = 36; left >= 24; --left) {
    shard.advance(1s);
    for (int fd = kFirst; fd < kEnd; ++fd) {
      const sse::Seen seen = shard.seen(fd);
      if (seen.events.size() == 1 && told.insert(std::to_string(fd)).second) {
        EXPECT_EQ(seen.events[0].type, "vrelo.renew");
        EXPECT_EQ(seen.events[0].data, "{\"in\":" + std::to_string(left) + "}");
      }
    }
    EXPECT_TRUE(left > 25 || told.size() > 10) << "not all in the same moment";
  }
  EXPECT_EQ(told.size(), kEnd - kFirst);
  shard.advance(23s);
  EXPECT_EQ(shard.fan_out().stats().closed_ended, 0U);
  shard.advance(1s);
  for (int fd = kFirst; fd < kEnd; ++fd) {
    const sse::Seen seen = shard.seen(fd);
    EXPECT_EQ(fanout::types(seen), (std::vector<std::string>{"vrelo.renew", "vrelo.end"}));
    EXPECT_EQ(seen.events.back().data, R"({"reason":"expired"})");
    EXPECT_TRUE(shard.sockets.at(fd).closed);
  }
}

TEST_F(StreamRightsOfSessions, say_so_when_half_is_over_of_what_is_short) {
  open(5, 20s);
  shard.advance(9'999ms);
  EXPECT_TRUE(shard.seen(5).events.empty());
  shard.advance(1ms);
  ASSERT_EQ(shard.seen(5).events.size(), 1U);
  EXPECT_EQ(shard.seen(5).events[0].data, R"({"in":10})");
}

TEST_F(StreamRightsOfSessions, say_nothing_of_an_end_at_which_their_reader_only_comes_back) {
  shard.open(5, {});
  const auto right = rights.make(5,
                                 {.seat = SessionSeat(office, auth::test_digest(5), 1),
                                  .place = {},
                                  .terms = auth::test_terms(),
                                  .end = shard.clock.steady() + 1h},
                                 10min);
  shard.advance(10min);
  EXPECT_EQ(fanout::types(shard.seen(5)), (std::vector<std::string>{"vrelo.end"}));
  EXPECT_EQ(shard.seen(5).events[0].data, R"({"reason":"lifetime"})");
}

}  // namespace
}  // namespace vrelo::api
