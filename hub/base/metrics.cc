// SPDX-License-Identifier: Apache-2.0
#include "hub/base/metrics.h"

#include <algorithm>
#include <cassert>
#include <limits>

#include <prometheus/text_serializer.h>

namespace vrelo::base {

void DurationHistogram::add(std::chrono::nanoseconds duration) {
  const auto bound = std::lower_bound(kBounds.begin(), kBounds.end(), duration);
  counts_[static_cast<std::size_t>(bound - kBounds.begin())].add();
  sum_ns_.add(static_cast<std::uint64_t>(std::max(duration, std::chrono::nanoseconds(0)).count()));
}

DurationHistogram::Values DurationHistogram::values() const {
  Values values;
  for (std::size_t i = 0; i < counts_.size(); ++i) {
    values.counts[i] = counts_[i].get();
  }
  values.sum = std::chrono::nanoseconds(sum_ns_.get());
  return values;
}

DurationHistogram::Values& DurationHistogram::Values::operator+=(const Values& other) {
  for (std::size_t i = 0; i < counts.size(); ++i) {
    counts[i] += other.counts[i];
  }
  sum += other.sum;
  return *this;
}

void ReasonCounts::add(std::string_view reason) {
  const std::size_t used = used_.load(std::memory_order_relaxed);
  for (std::size_t i = 0; i < used; ++i) {
    if (slots_[i].reason == reason) {
      slots_[i].count.add();
      return;
    }
  }
  if (used == slots_.size()) {
    other_.add();
    return;
  }
  slots_[used].reason = reason;
  slots_[used].count.add();
  used_.store(used + 1, std::memory_order_release);  // shows the slot to readers, with its reason
}

void ReasonCounts::add_to(std::map<std::string_view, std::uint64_t>& sums) const {
  const std::size_t used = used_.load(std::memory_order_acquire);
  for (std::size_t i = 0; i < used; ++i) {
    sums[slots_[i].reason] += slots_[i].count.get();
  }
  if (other_.get() > 0) {
    sums["other"] += other_.get();
  }
}

void Exposition::counter(std::string_view name,
                         std::string_view help,
                         std::uint64_t value,
                         Labels labels) {
  assert(name.ends_with("_total"));
  add(name, help, prometheus::MetricType::Counter, labels).counter.value =
      static_cast<double>(value);
}

void Exposition::gauge(std::string_view name, std::string_view help, double value, Labels labels) {
  add(name, help, prometheus::MetricType::Gauge, labels).gauge.value = value;
}

void Exposition::histogram(std::string_view name,
                           std::string_view help,
                           const DurationHistogram::Values& values,
                           Labels labels) {
  using Seconds = std::chrono::duration<double>;
  auto& histogram = add(name, help, prometheus::MetricType::Histogram, labels).histogram;
  for (std::size_t i = 0; i < values.counts.size(); ++i) {
    histogram.sample_count += values.counts[i];
    const double bound = i < DurationHistogram::kBounds.size()
                             ? Seconds(DurationHistogram::kBounds[i]).count()
                             : std::numeric_limits<double>::infinity();
    histogram.bucket.push_back({histogram.sample_count, bound});
  }
  histogram.sample_sum = Seconds(values.sum).count();
}

std::string Exposition::text() const {
  return prometheus::TextSerializer().Serialize(families_);
}

prometheus::ClientMetric& Exposition::add(std::string_view name,
                                          std::string_view help,
                                          prometheus::MetricType type,
                                          Labels labels) {
  if (families_.empty() || families_.back().name != name) {
    assert(std::none_of(families_.begin(), families_.end(),
                        [name](const auto& family) { return family.name == name; }));
    families_.push_back({std::string(name), std::string(help), type, {}});
  }
  prometheus::ClientMetric& metric = families_.back().metric.emplace_back();
  for (const Label& label : labels) {
    metric.label.push_back({std::string(label.name), std::string(label.value)});
  }
  return metric;
}

namespace {

// A count of tickets, as it is shown.
struct Shown {
  Counter ShardMetrics::*count;
  std::string_view name;
  std::string_view help;
};

constexpr Shown kTickets[] = {
    {&ShardMetrics::tickets_minted, "vrelo_tickets_minted_total", "Tickets minted."},
    {&ShardMetrics::tickets_redeemed, "vrelo_tickets_redeemed_total",
     "Tickets that opened a session."},
    {&ShardMetrics::sessions_resumed, "vrelo_sessions_resumed_total",
     "Connections that went on with the session of a ticket."},
    {&ShardMetrics::sessions_copied, "vrelo_sessions_copied_total",
     "Sessions that ended because two clients had the same proof."},
};

}  // namespace

void expose(std::span<const ShardMetrics* const> shards, Exposition& exposition) {
  std::uint64_t connections = 0;
  std::uint64_t requests = 0;
  std::uint64_t publishes_new = 0;
  std::uint64_t publishes_repeated = 0;
  DurationHistogram::Values publish_time;
  std::map<std::string_view, std::uint64_t> refusals;
  for (const ShardMetrics* const shard : shards) {
    connections += shard->connections.get();
    requests += shard->requests.get();
    publishes_new += shard->publishes_new.get();
    publishes_repeated += shard->publishes_repeated.get();
    publish_time += shard->publish_time.values();
    shard->refusals.add_to(refusals);
  }
  exposition.counter("vrelo_connections_total", "Connections accepted.", connections);
  exposition.counter("vrelo_requests_total", "Requests read.", requests);
  constexpr std::string_view kPublishes = "vrelo_publishes_total";
  constexpr std::string_view kPublishesHelp =
      "Publishes acknowledged: of new events, and of events that were there already.";
  exposition.counter(kPublishes, kPublishesHelp, publishes_new, {{"event", "new"}});
  exposition.counter(kPublishes, kPublishesHelp, publishes_repeated, {{"event", "repeated"}});
  exposition.histogram("vrelo_publish_seconds",
                       "Time from a whole request to the acknowledgement of the log.",
                       publish_time);
  for (const auto& [reason, count] : refusals) {
    exposition.counter("vrelo_refusals_total", "Requests and connections refused.", count,
                       {{"reason", reason}});
  }
  for (const Shown& shown : kTickets) {
    std::uint64_t sum = 0;
    for (const ShardMetrics* const shard : shards) {
      sum += (shard->*shown.count).get();
    }
    exposition.counter(shown.name, shown.help, sum);
  }
}

}  // namespace vrelo::base
