// SPDX-License-Identifier: Apache-2.0
#include "hub/api/metrics_page.h"

#include <array>
#include <string>
#include <string_view>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace vrelo::api {
namespace {

using testing::HasSubstr;

TEST(MetricsPage, shows_sums_over_the_shards) {
  base::ShardMetrics one;
  base::ShardMetrics two;
  one.publishes_new.add(2);
  two.publishes_new.add(3);
  two.refusals.add("reserved topic");
  const std::array<const base::ShardMetrics*, 2> shards = {&one, &two};
  const std::array<fanout::FanOutStats, 2> fan_outs = {
      fanout::FanOutStats{.streams = 1,
                          .groups = 17,
                          .opened = 2,
                          .rounds = 3,
                          .sends = 4,
                          .sent_bytes = 5,
                          .wakes = 6,
                          .window_hits = 7,
                          .page_cache_hits = 8,
                          .storage_reads = 9,
                          .failed_reads = 109,
                          .gaps = 10,
                          .closed_gone = 11,
                          .closed_silent = 12,
                          .closed_stalled = 13,
                          .closed_record_gone = 14,
                          .closed_drain = 15,
                          .closed_log = 16},
      fanout::FanOutStats{.streams = 100, .closed_log = 100}};
  const std::string page = metrics_page({.shards = shards,
                                         .fan_outs = fan_outs,
                                         .connections = 200,
                                         .window_bytes = 201,
                                         .window_end = {1, 202},
                                         .log_begin = {1, 203},
                                         .log_end = {1, 204}});
  for (const std::string_view line : {
           "vrelo_publishes_total{event=\"new\"} 5\n",
           "vrelo_publish_seconds_count 0\n",
           "vrelo_refusals_total{reason=\"reserved topic\"} 1\n",
           "vrelo_open_connections 200\n",
           "vrelo_streams 101\n",
           "vrelo_stream_groups 17\n",
           "vrelo_streams_opened_total 2\n",
           "vrelo_rounds_total 3\n",
           "vrelo_sends_total 4\n",
           "vrelo_sent_bytes_total 5\n",
           "vrelo_wakes_total 6\n",
           "vrelo_window_hits_total 7\n",
           "vrelo_page_cache_hits_total 8\n",
           "vrelo_storage_reads_total 9\n",
           "vrelo_storage_reads_failed_total 109\n",
           "vrelo_gaps_total 10\n",
           "vrelo_streams_closed_total{reason=\"gone\"} 11\n",
           "vrelo_streams_closed_total{reason=\"silent\"} 12\n",
           "vrelo_streams_closed_total{reason=\"stalled\"} 13\n",
           "vrelo_streams_closed_total{reason=\"record gone\"} 14\n",
           "vrelo_streams_closed_total{reason=\"drain\"} 15\n",
           "vrelo_streams_closed_total{reason=\"log stopped\"} 116\n",
           "vrelo_window_bytes 201\n",
           "vrelo_window_end_offset 202\n",
           "vrelo_log_begin_offset 203\n",
           "vrelo_log_end_offset 204\n",
       }) {
    EXPECT_THAT(page, HasSubstr("\n" + std::string(line)));
  }
}

TEST(MetricsPage, explains_each_metric_once) {
  const std::string page = metrics_page({});
  for (const std::string_view name : {"vrelo_streams_closed_total", "vrelo_streams"}) {
    SCOPED_TRACE(name);
    const std::string type = "# TYPE " + std::string(name) + " ";
    const auto first = page.find(type);
    EXPECT_NE(first, std::string::npos);
    EXPECT_EQ(page.find(type, first + 1), std::string::npos);
  }
}

}  // namespace
}  // namespace vrelo::api
