// SPDX-License-Identifier: Apache-2.0
#include "hub/api/stream_rights.h"

#include <chrono>
#include <memory>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

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

}  // namespace
}  // namespace vrelo::api
