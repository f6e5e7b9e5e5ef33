// SPDX-License-Identifier: Apache-2.0
#include "hub/base/metrics.h"

#include <array>
#include <atomic>
#include <chrono>
#include <map>
#include <string>
#include <string_view>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace vrelo::base {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::nanoseconds;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;

TEST(Metrics, count_a_duration_in_the_step_it_does_not_pass) {
  DurationHistogram histogram;
  histogram.add(nanoseconds(0));
  histogram.add(microseconds(50));
  histogram.add(microseconds(50) + nanoseconds(1));
  histogram.add(seconds(10));
  histogram.add(seconds(11));
  const DurationHistogram::Values values = histogram.values();
  EXPECT_EQ(values.counts[0], 2U);
  EXPECT_EQ(values.counts[1], 1U);
  EXPECT_EQ(values.counts[16], 1U);
  EXPECT_EQ(values.counts[17], 1U);
  EXPECT_EQ(values.sum, seconds(21) + microseconds(100) + nanoseconds(1));
}

TEST(Metrics, count_64_reasons_and_the_others_together) {
  static const std::string kReasons =
      "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz012345678901234567890123";
  ReasonCounts counts;
  for (int i = 0; i < 66; ++i) {
    counts.add(std::string_view(kReasons).substr(0, static_cast<std::size_t>(i) + 1));
    counts.add("a");
  }
  std::map<std::string_view, std::uint64_t> sums = {{"a", 1}};
  counts.add_to(sums);
  EXPECT_EQ(sums.size(), 65U);
  EXPECT_EQ(sums["a"], 68U);
  EXPECT_EQ(sums["ab"], 1U);
  EXPECT_EQ(sums["other"], 2U);
}

TEST(Metrics, are_read_while_they_are_counted) {
  ShardMetrics metrics;
  std::atomic<bool> stop = false;
  std::thread reader([&] {
    while (!stop) {
      Exposition exposition;
      const std::array<const ShardMetrics*, 1> shards = {&metrics};
      expose(shards, exposition);
      EXPECT_THAT(exposition.text(), HasSubstr("vrelo_requests_total"));
    }
  });
  static constexpr std::array<std::string_view, 3> kReasons = {"one", "two", "three"};
  for (std::size_t i = 0; i < 3000; ++i) {
    metrics.requests.add();
    metrics.refusals.add(kReasons[i / 1000]);
    metrics.publish_time.add(microseconds(i));
  }
  stop = true;
  reader.join();
  std::map<std::string_view, std::uint64_t> sums;
  metrics.refusals.add_to(sums);
  EXPECT_THAT(sums, ElementsAre(Pair("one", 1000), Pair("three", 1000), Pair("two", 1000)));
}

TEST(Metrics, are_exposed_as_text_of_prometheus) {
  Exposition exposition;
  exposition.counter("a_total", "Things.", 3, {{"kind", "x"}});
  exposition.counter("a_total", "Things.", 4, {{"kind", "quote\" slash\\ line\n"}});
  exposition.gauge("b", "A level.", 1.5);
  EXPECT_EQ(exposition.text(),
            "# HELP a_total Things.\n"
            "# TYPE a_total counter\n"
            "a_total{kind=\"x\"} 3\n"
            "a_total{kind=\"quote\\\" slash\\\\ line\\n\"} 4\n"
            "# HELP b A level.\n"
            "# TYPE b gauge\n"
            "b 1.5\n");
}

TEST(Metrics, are_sums_over_the_shards) {
  ShardMetrics one;
  ShardMetrics two;
  one.publishes_new.add(2);
  two.publishes_new.add(3);
  two.publishes_repeated.add();
  one.publish_time.add(milliseconds(1));
  two.publish_time.add(milliseconds(3));
  one.refusals.add("too large");
  two.refusals.add("too large");
  const std::array<const ShardMetrics*, 2> shards = {&one, &two};
  Exposition exposition;
  expose(shards, exposition);
  const std::string text = exposition.text();
  EXPECT_THAT(text, HasSubstr("vrelo_publishes_total{event=\"new\"} 5\n"));
  EXPECT_THAT(text, HasSubstr("vrelo_publishes_total{event=\"repeated\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("vrelo_publish_seconds_bucket{le=\"0.0005\"} 0\n"));
  EXPECT_THAT(text, HasSubstr("vrelo_publish_seconds_bucket{le=\"0.001\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("vrelo_publish_seconds_bucket{le=\"0.005\"} 2\n"));
  EXPECT_THAT(text, HasSubstr("vrelo_publish_seconds_bucket{le=\"+Inf\"} 2\n"));
  EXPECT_THAT(text, HasSubstr("vrelo_publish_seconds_count 2\n"));
  EXPECT_THAT(text, HasSubstr("vrelo_publish_seconds_sum 0.004\n"));
  EXPECT_THAT(text, HasSubstr("vrelo_refusals_total{reason=\"too large\"} 2\n"));
}

TEST(MetricsDeathTest, stop_at_a_name_that_was_given_before) {
  Exposition exposition;
  exposition.gauge("a", "A.", 1);
  exposition.gauge("b", "B.", 1);
  EXPECT_DEATH(exposition.gauge("a", "A.", 2), "none_of");
  EXPECT_DEATH(exposition.counter("a", "A.", 2), "_total");
}

}  // namespace
}  // namespace vrelo::base
