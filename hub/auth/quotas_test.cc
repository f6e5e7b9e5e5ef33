// SPDX-License-Identifier: Apache-2.0
#include "hub/auth/quotas.h"

#include <atomic>
#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "hub/base/clock_testing.h"

namespace vrelo::auth {
namespace {

using std::chrono_literals::operator""ms;
using std::chrono_literals::operator""s;

TEST(Quota, counts_the_streams_that_are_open) {
  const auto quota = std::make_shared<Quota>();
  auto first = Quota::open_stream(quota, 2);
  const auto second = Quota::open_stream(quota, 2);
  ASSERT_TRUE(first && second);
  EXPECT_FALSE(Quota::open_stream(quota, 2));
  EXPECT_EQ(quota->streams(), 2U);
  const Quota::Place kept = *std::move(first);
  first.reset();
  EXPECT_FALSE(Quota::open_stream(quota, 2)) << "the place was moved, not given back";
  {
    const auto third = Quota::open_stream(quota, 0);
    EXPECT_TRUE(third) << "without a limit it counts too";
    EXPECT_EQ(quota->streams(), 3U);
  }
  EXPECT_TRUE(Quota::open_stream(quota, 3));
}

TEST(Quota, lets_as_many_events_through_a_second_as_are_allowed_also_at_one_go) {
  base::ManualClock clock;
  Quota quota;
  const auto published = [&](std::size_t per_second) {
    int count = 0;
    while (count < 100 && quota.publish(per_second, clock.steady())) {
      ++count;
    }
    return count;
  };
  EXPECT_FALSE(quota.is_used_up(3, clock.steady()));
  EXPECT_EQ(published(3), 3);
  EXPECT_TRUE(quota.is_used_up(3, clock.steady()));
  EXPECT_FALSE(quota.is_used_up(0, clock.steady()));
  clock.advance(333ms);
  EXPECT_EQ(published(3), 0);
  clock.advance(1ms);
  EXPECT_EQ(published(3), 1);
  clock.advance(10s);
  EXPECT_TRUE(quota.is_idle(clock.steady()));
  EXPECT_EQ(published(3), 3) << "what was not used in time is lost";
  EXPECT_FALSE(quota.is_idle(clock.steady()));
  clock.advance(1s);
  EXPECT_EQ(published(1), 1);
  clock.advance(999ms);
  EXPECT_EQ(published(1), 0);
  clock.advance(1ms);
  EXPECT_EQ(published(0), 100) << "without a limit";
}

TEST(Quota, is_exact_when_many_threads_use_it) {
  const auto quota = std::make_shared<Quota>();
  std::vector<std::thread> threads;
  std::atomic<int> published{0};
  std::atomic<int> opened{0};
  std::vector<std::vector<Quota::Place>> places(4);
  for (auto& mine : places) {
    threads.emplace_back([&, quota] {
      for (int i = 0; i < 1000; ++i) {
        published += quota->publish(500, base::Clock::Steady()) ? 1 : 0;
        if (auto place = Quota::open_stream(quota, 500)) {
          mine.push_back(*std::move(place));
          ++opened;
        }
      }
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  EXPECT_EQ(published, 500);
  EXPECT_EQ(opened, 500);
  places.clear();
  EXPECT_EQ(quota->streams(), 0U);
}

TEST(Quotas, are_one_for_each_subject_of_each_issuer) {
  const base::ManualClock clock;
  Quotas quotas(clock);
  const auto quota = quotas.of("a", "b");
  EXPECT_EQ(quotas.of("a", "b"), quota);
  EXPECT_NE(quotas.of("a", ""), quota);
  EXPECT_NE(quotas.of("ab", ""), quota);
  EXPECT_NE(quotas.of("", "ab"), quotas.of("ab", ""));
}

TEST(Quotas, forget_those_that_do_not_count_any_more) {
  base::ManualClock clock;
  Quotas quotas(clock);
  const auto kept = quotas.of("a", "kept");
  const auto place = Quota::open_stream(quotas.of("a", "stream"), 0);
  quotas.of("a", "busy")->publish(1, clock.steady());
  for (int i = 0; i < 10'000; ++i) {
    quotas.of("a", std::to_string(i));
  }
  EXPECT_LE(quotas.size(), 64U);
  EXPECT_EQ(quotas.of("a", "kept"), kept);
  EXPECT_EQ(quotas.of("a", "stream")->streams(), 1U);
  EXPECT_FALSE(quotas.of("a", "busy")->publish(1, clock.steady()));
}

}  // namespace
}  // namespace vrelo::auth
