// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <prometheus/metric_family.h>

namespace vrelo::base {

// A count that one thread raises and any may read.
//
// Cost: a plain addition in memory; no lock, no locked instruction.
class Counter {
 public:
  void add(std::uint64_t n = 1) {
    value_.store(value_.load(std::memory_order_relaxed) + n, std::memory_order_relaxed);
  }
  std::uint64_t get() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> value_{0};
};

// How long something took, counted in steps from 50 µs to 10 s. Threads: as Counter.
class DurationHistogram {
 public:
  static constexpr std::array<std::chrono::nanoseconds, 17> kBounds = {
      std::chrono::microseconds(50),   std::chrono::microseconds(100),
      std::chrono::microseconds(250),  std::chrono::microseconds(500),
      std::chrono::milliseconds(1),    std::chrono::microseconds(2500),
      std::chrono::milliseconds(5),    std::chrono::milliseconds(10),
      std::chrono::milliseconds(25),   std::chrono::milliseconds(50),
      std::chrono::milliseconds(100),  std::chrono::milliseconds(250),
      std::chrono::milliseconds(500),  std::chrono::seconds(1),
      std::chrono::milliseconds(2500), std::chrono::seconds(5),
      std::chrono::seconds(10)};

  void add(std::chrono::nanoseconds duration);

  // What was counted: per step, those above its lower bound and not above kBounds[i]; the last,
  // above all.
  struct Values {
    std::array<std::uint64_t, kBounds.size() + 1> counts = {};
    std::chrono::nanoseconds sum{0};

    Values& operator+=(const Values& other);
  };
  Values values() const;

 private:
  std::array<Counter, kBounds.size() + 1> counts_;
  Counter sum_ns_;
};

// Counts by reason. There is room for 64 reasons; further ones count as "other". Threads: as
// Counter.
class ReasonCounts {
 public:
  // Lifetime: `reason` is of static storage, one of a few fixed texts, never made from input.
  void add(std::string_view reason);

  // Adds what was counted to `sums`.
  void add_to(std::map<std::string_view, std::uint64_t>& sums) const;

 private:
  struct Slot {
    std::string_view reason;
    Counter count;
  };

  std::array<Slot, 64> slots_;
  std::atomic<std::size_t> used_{0};  // slots before it have a reason
  Counter other_;
};

// What the endpoints of a shard count. Fan-out counts for itself.
struct ShardMetrics {
  Counter connections;  // accepted
  Counter requests;
  Counter publishes_new;
  Counter publishes_repeated;      // were there already, with the same id
  DurationHistogram publish_time;  // from the whole request to the log's acknowledgement
  ReasonCounts refusals;
  Counter tickets_minted;
  Counter tickets_redeemed;
  Counter sessions_resumed;
  Counter sessions_copied;  // ended, since two clients had the proof
};

// Writes metrics in the text format of Prometheus. The metrics of one name are added one after the
// other.
class Exposition {
 public:
  struct Label {
    std::string_view name;
    std::string_view value;
  };
  using Labels = std::initializer_list<Label>;

  // `name` of a counter ends in "_total".
  void counter(std::string_view name,
               std::string_view help,
               std::uint64_t value,
               Labels labels = {});
  void gauge(std::string_view name, std::string_view help, double value, Labels labels = {});
  void histogram(std::string_view name,
                 std::string_view help,
                 const DurationHistogram::Values& values,
                 Labels labels = {});

  std::string text() const;

  static constexpr std::string_view kMediaType = "text/plain; version=0.0.4; charset=utf-8";

 private:
  prometheus::ClientMetric& add(std::string_view name,
                                std::string_view help,
                                prometheus::MetricType type,
                                Labels labels);

  std::vector<prometheus::MetricFamily> families_;
};

// Adds the sums of `shards`.
void expose(std::span<const ShardMetrics* const> shards, Exposition& exposition);

}  // namespace vrelo::base
