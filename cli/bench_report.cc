// SPDX-License-Identifier: Apache-2.0
#include "cli/bench_report.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>

#include <fmt/format.h>
#include <boost/json.hpp>

#include "cli/printable.h"

namespace vrelo::cli {
namespace {

namespace json = boost::json;
using load::Histogram;
using load::Report;
using load::ServerReport;
using load::Workload;
using std::chrono::nanoseconds;

constexpr double kBarWidth = 40;

double seconds(nanoseconds duration) {
  return std::chrono::duration<double>(duration).count();
}
double milliseconds(nanoseconds duration) {
  return std::chrono::duration<double, std::milli>(duration).count();
}
double microseconds(nanoseconds duration) {
  return std::chrono::duration<double, std::micro>(duration).count();
}

// 0 where nothing was counted, or in no time.
double ratio(double value, double by) {
  return by > 0 ? value / by : 0;
}
double ratio(std::uint64_t count, nanoseconds duration) {
  return ratio(static_cast<double>(count), seconds(duration));
}

// With three digits that count, in the unit that suits it.
std::string duration_text(nanoseconds duration) {
  struct Unit {
    double value;
    const char* name;
  };
  const double us = microseconds(duration);
  const Unit unit = us < 1e3   ? Unit{us, "µs"}
                    : us < 1e6 ? Unit{us / 1e3, "ms"}
                               : Unit{us / 1e6, "s"};
  const int digits = unit.value < 10 ? 2 : unit.value < 100 ? 1 : 0;
  return fmt::format("{:.{}f} {}", unit.value, digits, unit.name);
}

// "1,234,567".
std::string count_text(std::uint64_t count) {
  std::string text = std::to_string(count);
  for (std::size_t at = text.size(); at > 3; at -= 3) {
    text.insert(at - 3, ",");
  }
  return text;
}

std::string rate_text(double rate) {
  return count_text(static_cast<std::uint64_t>(std::llround(rate))) + "/s";
}

std::string quantiles_text(const Histogram& histogram) {
  return fmt::format("p50 {}, p90 {}, p99 {}, p99.9 {}, max {}",
                     duration_text(histogram.quantile(0.5)), duration_text(histogram.quantile(0.9)),
                     duration_text(histogram.quantile(0.99)),
                     duration_text(histogram.quantile(0.999)), duration_text(histogram.max()));
}

std::string histogram_text(const Histogram& histogram) {
  const auto bars = histogram.bars();
  std::uint64_t most = 0;
  for (const auto& bar : bars) {
    most = std::max(most, bar.count);
  }
  std::string text;
  for (const auto& bar : bars) {
    const double share = ratio(static_cast<double>(bar.count), static_cast<double>(most));
    text += fmt::format("{:>9} to {:>9} {:<40} {:>12}\n", duration_text(bar.from),
                        duration_text(bar.to),
                        std::string(static_cast<std::size_t>(std::ceil(share * kBarWidth)), '#'),
                        count_text(bar.count));
  }
  return text;
}

std::uint64_t lost(const Report& report) {
  return report.expected - std::min(report.expected, report.readers.delivered);
}

std::string server_text(const Report& report) {
  const ServerReport& server = *report.server;
  const auto& readers = report.readers;
  std::string text = fmt::format(
      "server      {:.3f} µs of CPU a delivery (user {:.2f} s, system {:.2f} s)\n"
      "            {:.1f} µs of CPU and {} bytes a stream; {} MiB in all\n",
      ratio(microseconds(server.publishing.run), static_cast<double>(readers.delivered)),
      seconds(server.publishing.user), seconds(server.publishing.system),
      ratio(microseconds(server.opening.run), static_cast<double>(readers.open)),
      count_text(server.opening.resident_bytes / std::max<std::size_t>(readers.open, 1)),
      count_text(server.end_bytes >> 20));
  if (server.stalled_bytes > 0) {
    text += fmt::format("            {} MiB while readers were stalled\n",
                        count_text(server.stalled_bytes >> 20));
  }
  return text;
}

json::object quantiles_json(const Histogram& histogram) {
  return {{"p50", milliseconds(histogram.quantile(0.5))},
          {"p90", milliseconds(histogram.quantile(0.9))},
          {"p99", milliseconds(histogram.quantile(0.99))},
          {"p999", milliseconds(histogram.quantile(0.999))},
          {"max", milliseconds(histogram.max())}};
}

json::object server_json(const Report& report) {
  const ServerReport& server = *report.server;
  const auto streams = static_cast<double>(report.readers.open);
  const double us = microseconds(server.publishing.run);
  return {{"cpu_us_per_delivery", ratio(us, static_cast<double>(report.readers.delivered))},
          {"cpu_us_per_event", ratio(us, static_cast<double>(report.publishers.accepted))},
          {"user_s", seconds(server.publishing.user)},
          {"system_s", seconds(server.publishing.system)},
          {"cpu_us_per_stream", ratio(microseconds(server.opening.run), streams)},
          {"bytes_per_stream", ratio(static_cast<double>(server.opening.resident_bytes), streams)},
          {"before_bytes", server.before_bytes},
          {"stalled_bytes", server.stalled_bytes},
          {"end_bytes", server.end_bytes}};
}

}  // namespace

std::string progress_text(const Workload& workload, const load::Progress& progress) {
  const std::string refused =
      progress.refused > 0 ? fmt::format(", {} refused", count_text(progress.refused)) : "";
  const std::string streams = fmt::format("streams {} of {}{}", count_text(progress.open),
                                          count_text(workload.readers), refused);
  const std::string events =
      fmt::format("events {} of {}, deliveries {}", count_text(progress.sent),
                  count_text(workload.events), count_text(progress.delivered));
  switch (progress.phase) {
    case load::Phase::kOpening:
    case load::Phase::kSettling:
      break;
    case load::Phase::kPublishing:
      return "publishing: " + events;
    case load::Phase::kCatchingUp:
      return "the stalled readers catch up: " + events;
  }
  return "opening: " + streams;
}

std::string report_text(const Workload& workload, const Report& report) {
  const auto& readers = report.readers;
  const auto& publishers = report.publishers;
  std::string text =
      fmt::format("streams     {} of {} opened, {}; {} refused, {} cut\n", count_text(readers.open),
                  count_text(workload.readers), rate_text(ratio(readers.open, report.opening)),
                  count_text(readers.refused), count_text(readers.cut));
  if (!readers.first_refusal.empty()) {
    text += fmt::format("            first refusal: {}\n", printable(readers.first_refusal));
  }
  text += fmt::format("events      {} of {} accepted, {}\n", count_text(publishers.accepted),
                      count_text(workload.events),
                      rate_text(ratio(publishers.accepted, report.publishing)));
  if (!publishers.first_failure.empty()) {
    text += fmt::format("            {} failed; the first: {}\n", count_text(publishers.failed),
                        printable(publishers.first_failure));
  }
  text +=
      fmt::format("deliveries  {} of {}, {}\n            {} lost, {} doubled, {} out of order\n",
                  count_text(readers.delivered), count_text(report.expected),
                  rate_text(ratio(readers.delivered, report.delivering)), count_text(lost(report)),
                  count_text(readers.doubled), count_text(readers.reordered));
  if (readers.delivered_stalled > 0) {
    text += fmt::format("            {} of them to {} readers that had stalled\n",
                        count_text(readers.delivered_stalled), count_text(workload.stalled));
  }
  if (report.server) {
    text += server_text(report);
  }
  text += fmt::format(
      "load        the reading thread was busy for {} of {}\n"
      "answer      {}\n"
      "latency     {}\n\n{}",
      duration_text(report.reading), duration_text(std::max(report.delivering, report.publishing)),
      quantiles_text(report.answers), quantiles_text(report.latency),
      histogram_text(report.latency));
  return text;
}

std::string report_json(const Workload& workload, const Report& report) {
  const auto& readers = report.readers;
  const auto& publishers = report.publishers;
  json::array bars;
  for (const auto& bar : report.latency.bars()) {
    bars.push_back(json::object{{"from_ms", milliseconds(bar.from)},
                                {"to_ms", milliseconds(bar.to)},
                                {"count", bar.count}});
  }
  json::object object{{"streams",
                       {{"wanted", workload.readers},
                        {"open", readers.open},
                        {"refused", readers.refused},
                        {"cut", readers.cut},
                        {"first_refusal", readers.first_refusal},
                        {"per_second", ratio(readers.open, report.opening)}}},
                      {"events",
                       {{"wanted", workload.events},
                        {"accepted", publishers.accepted},
                        {"failed", publishers.failed},
                        {"first_failure", publishers.first_failure},
                        {"reconnects", publishers.reconnects},
                        {"per_second", ratio(publishers.accepted, report.publishing)},
                        {"answer_ms", quantiles_json(report.answers)}}},
                      {"deliveries",
                       {{"expected", report.expected},
                        {"delivered", readers.delivered},
                        {"delivered_stalled", readers.delivered_stalled},
                        {"lost", lost(report)},
                        {"doubled", readers.doubled},
                        {"out_of_order", readers.reordered},
                        {"foreign", readers.foreign},
                        {"per_second", ratio(readers.delivered, report.delivering)},
                        {"seconds", seconds(report.delivering)},
                        {"latency_ms", quantiles_json(report.latency)},
                        {"latency_bars", std::move(bars)}}},
                      {"load", {{"reading_s", seconds(report.reading)}}},
                      {"stopped", report.is_stopped}};
  if (report.server) {
    object["server"] = server_json(report);
  }
  return json::serialize(object) + '\n';
}

bool is_faultless(const Workload& workload, const Report& report) {
  return !report.is_stopped && report.readers.open == workload.readers && report.readers.cut == 0 &&
         report.readers.doubled == 0 && report.readers.reordered == 0 &&
         report.publishers.accepted == workload.events && lost(report) == 0;
}

}  // namespace vrelo::cli
