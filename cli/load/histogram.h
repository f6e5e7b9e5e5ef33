// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace vrelo::cli::load {

// Counts durations, each to within 0.8 %, in constant memory.
class Histogram {
 public:
  using Duration = std::chrono::nanoseconds;

  // A negative one counts as 0.
  void add(Duration duration);

  std::uint64_t count() const { return count_; }
  Duration max() const { return max_; }  // exactly; 0: there is none

  // Returns a duration that `share` of all (0 to 1) do not exceed, and no more than 0.8 % above the
  // least such; 0 if there are none.
  Duration quantile(double share) const;

  struct Bar {
    Duration from;
    Duration to;  // not included
    std::uint64_t count;
  };

  // Returns bars for all that was counted, from the shortest to the longest, two for each power of
  // two nanoseconds.
  std::vector<Bar> bars() const;

 private:
  // As HDR histograms have it: each power of two is divided into 128 buckets of one width.
  static constexpr unsigned kStepBits = 7;
  static constexpr std::size_t kSteps = std::size_t{1} << kStepBits;
  static constexpr std::size_t kBuckets = kSteps * (64 - kStepBits + 1);

  static std::size_t bucket_of(std::uint64_t nanoseconds);
  static std::uint64_t end_of(std::size_t bucket);  // the least value that belongs to the next one

  std::array<std::uint64_t, kBuckets> counts_ = {};
  std::uint64_t count_ = 0;
  Duration max_{0};
};

}  // namespace vrelo::cli::load
