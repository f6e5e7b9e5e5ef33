// SPDX-License-Identifier: Apache-2.0
#include "cli/bench_report.h"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <boost/json.hpp>

namespace vrelo::cli {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using testing::HasSubstr;

const load::Workload& workload() {
  static const load::Workload value = [] {
    load::Workload workload;
    workload.readers = 2;
    workload.events = 1000;
    return workload;
  }();
  return value;
}

// Two readers that got all of a thousand events.
load::Report report() {
  load::Report report;
  report.readers.connected = report.readers.open = 2;
  report.readers.delivered = report.expected = 2000;
  report.publishers.accepted = 1000;
  report.opening = milliseconds(1);
  report.publishing = report.delivering = std::chrono::seconds(10);
  report.reading = milliseconds(20);
  for (int i = 0; i < 1000; ++i) {
    report.latency.add(microseconds(100));
    report.latency.add(microseconds(200));
    report.answers.add(microseconds(50));
  }
  return report;
}

TEST(BenchReport, is_a_table_and_a_histogram) {
  EXPECT_EQ(report_text(workload(), report()),
            "streams     2 of 2 opened, 2,000/s; 0 refused, 0 cut\n"
            "events      1,000 of 1,000 accepted, 100/s\n"
            "deliveries  2,000 of 2,000, 200/s\n"
            "            0 lost, 0 doubled, 0 out of order\n"
            "load        the reading thread was busy for 20.0 ms of 10.0 s\n"
            "answer      p50 50.0 µs, p90 50.0 µs, p99 50.0 µs, p99.9 50.0 µs, max 50.0 µs\n"
            "latency     p50 100 µs, p90 200 µs, p99 200 µs, p99.9 200 µs, max 200 µs\n"
            "\n"
            "  98.3 µs to    131 µs ########################################        1,000\n"
            "   131 µs to    197 µs                                                     0\n"
            "   197 µs to    262 µs ########################################        1,000\n");
}

TEST(BenchReport, says_what_went_wrong) {
  load::Report bad = report();
  bad.readers.open = 1;
  bad.readers.refused = 1;
  bad.readers.first_refusal = "status 503";
  bad.readers.delivered = 900;
  bad.readers.doubled = 3;
  bad.readers.reordered = 4;
  bad.readers.cut = 1;
  bad.publishers.accepted = 990;
  bad.publishers.failed = 10;
  bad.publishers.first_failure = "status 507: full\x1B[2J";
  bad.expected = 990;
  const std::string text = report_text(workload(), bad);
  EXPECT_THAT(text, HasSubstr("1 of 2 opened, 1,000/s; 1 refused, 1 cut\n"));
  EXPECT_THAT(text, HasSubstr("first refusal: status 503\n"));
  EXPECT_THAT(text, HasSubstr("990 of 1,000 accepted"));
  EXPECT_THAT(text, HasSubstr("10 failed; the first: status 507: full\\u{1B}[2J\n"));
  EXPECT_THAT(text,
              HasSubstr("900 of 990, 90/s\n            90 lost, 3 doubled, 4 out of order\n"));
}

TEST(BenchReport, shows_what_the_server_used) {
  load::Report full = report();
  full.server = load::ServerReport{
      .opening = {.user = {}, .system = {}, .run = microseconds(60), .resident_bytes = 8192},
      .publishing = {.user = milliseconds(10),
                     .system = milliseconds(30),
                     .run = milliseconds(3),
                     .resident_bytes = 0},
      .before_bytes = 1 << 20,
      .stalled_bytes = 3 << 20,
      .end_bytes = 2 << 20};
  EXPECT_THAT(report_text(workload(), full),
              HasSubstr("server      1.500 µs of CPU a delivery (user 0.01 s, system 0.03 s)\n"
                        "            30.0 µs of CPU and 4,096 bytes a stream; 2 MiB in all\n"
                        "            3 MiB while readers were stalled\n"));
  const auto object = boost::json::parse(report_json(workload(), full)).as_object();
  EXPECT_EQ(object.at("server").at("cpu_us_per_delivery"), 1.5);
  EXPECT_EQ(object.at("server").at("cpu_us_per_event"), 3.0);
  EXPECT_EQ(object.at("server").at("bytes_per_stream"), 4096.0);
}

TEST(BenchReport, is_an_object_for_programs) {
  const std::string text = report_json(workload(), report());
  EXPECT_EQ(text.find('\n'), text.size() - 1);
  const auto object = boost::json::parse(text).as_object();
  EXPECT_EQ(object.at("streams").at("open"), 2);
  EXPECT_EQ(object.at("events").at("per_second"), 100.0);
  EXPECT_EQ(object.at("deliveries").at("lost"), 0);
  EXPECT_NEAR(object.at("deliveries").at("latency_ms").at("p99").as_double(), 0.2, 0.002);
  EXPECT_EQ(object.at("deliveries").at("latency_bars").as_array().size(), 3U);
  EXPECT_FALSE(object.contains("server"));
}

TEST(BenchReport, knows_what_is_faultless) {
  EXPECT_TRUE(is_faultless(workload(), report()));
  const struct {
    const char* what;
    void (*spoil)(load::Report& report);
  } cases[] = {
      {"stopped", [](load::Report& report) { report.is_stopped = true; }},
      {"refused", [](load::Report& report) { report.readers.open = 1; }},
      {"cut", [](load::Report& report) { report.readers.cut = 1; }},
      {"lost", [](load::Report& report) { report.readers.delivered = 1999; }},
      {"doubled", [](load::Report& report) { report.readers.doubled = 1; }},
      {"out of order", [](load::Report& report) { report.readers.reordered = 1; }},
      {"not accepted", [](load::Report& report) { report.publishers.accepted = 999; }},
  };
  for (const auto& [what, spoil] : cases) {
    SCOPED_TRACE(what);
    load::Report spoilt = report();
    spoil(spoilt);
    EXPECT_FALSE(is_faultless(workload(), spoilt));
  }
}

TEST(BenchReport, shows_how_far_it_is) {
  EXPECT_EQ(progress_text(workload(), {.open = 1, .refused = 1}),
            "opening: streams 1 of 2, 1 refused");
  EXPECT_EQ(progress_text(
                workload(),
                {.phase = load::Phase::kPublishing, .open = 2, .sent = 1000, .delivered = 1234567}),
            "publishing: events 1,000 of 1,000, deliveries 1,234,567");
}

}  // namespace
}  // namespace vrelo::cli
