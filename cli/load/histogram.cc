// SPDX-License-Identifier: Apache-2.0
#include "cli/load/histogram.h"

#include <algorithm>
#include <bit>
#include <cassert>
#include <cmath>

namespace vrelo::cli::load {

void Histogram::add(Duration duration) {
  const Duration positive = std::max(duration, Duration(0));
  ++counts_[bucket_of(static_cast<std::uint64_t>(positive.count()))];
  ++count_;
  max_ = std::max(max_, positive);
}

Histogram::Duration Histogram::quantile(double share) const {
  assert(share >= 0 && share <= 1);
  const auto wanted = static_cast<std::uint64_t>(std::ceil(share * static_cast<double>(count_)));
  std::uint64_t seen = 0;
  for (std::size_t bucket = 0; bucket < kBuckets; ++bucket) {
    seen += counts_[bucket];
    if (seen > 0 && seen >= wanted) {
      return std::min(Duration(end_of(bucket) - 1), max_);
    }
  }
  return Duration(0);
}

std::vector<Histogram::Bar> Histogram::bars() const {
  // Half of a power of two is 64 of its buckets.
  constexpr std::size_t kBarBuckets = kSteps / 2;
  std::vector<Bar> bars;
  std::uint64_t begin = 0;
  for (std::size_t first = 0; first < kBuckets; first += kBarBuckets) {
    std::uint64_t count = 0;
    for (std::size_t bucket = first; bucket < first + kBarBuckets; ++bucket) {
      count += counts_[bucket];
    }
    const std::uint64_t end = end_of(first + kBarBuckets - 1);
    bars.push_back({.from = Duration(begin), .to = Duration(end), .count = count});
    begin = end;
    if (end > static_cast<std::uint64_t>(max_.count())) {
      break;
    }
  }
  const auto first =
      std::find_if(bars.begin(), bars.end(), [](auto& bar) { return bar.count > 0; });
  bars.erase(bars.begin(), first);
  return bars;
}

std::size_t Histogram::bucket_of(std::uint64_t nanoseconds) {
  const auto width = static_cast<unsigned>(std::bit_width(nanoseconds));
  if (width <= kStepBits) {
    return nanoseconds;
  }
  const unsigned shift = width - kStepBits - 1;  // leaves a one and kStepBits bits below it
  return (shift + 1) * kSteps + ((nanoseconds >> shift) - kSteps);
}

std::uint64_t Histogram::end_of(std::size_t bucket) {
  if (bucket < kSteps) {
    return bucket + 1;
  }
  const std::size_t shift = bucket / kSteps - 1;
  return (kSteps + bucket % kSteps + 1) << shift;
}

}  // namespace vrelo::cli::load
