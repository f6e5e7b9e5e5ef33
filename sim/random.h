// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cassert>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <random>
#include <vector>

namespace vrelo::sim {

// All chance of one run comes from here, so that the seed decides everything.
//
// The distributions are its own: those of the standard differ from library to library, and a seed
// that fails on one machine has to fail on each.
class Random {
 public:
  explicit Random(std::uint64_t seed) : source_(seed) {}

  std::uint64_t number() { return source_(); }

  // 0 up to, without, `end`.
  std::uint64_t below(std::uint64_t end) {
    assert(end > 0);
    return source_() % end;
  }

  // `first` up to, with, `last`.
  std::uint64_t between(std::uint64_t first, std::uint64_t last) {
    return first + below(last - first + 1);
  }

  std::chrono::milliseconds milliseconds(std::uint64_t first, std::uint64_t last) {
    return std::chrono::milliseconds(static_cast<std::int64_t>(between(first, last)));
  }

  // True once in `n` times; 0: never.
  bool one_in(std::uint64_t n) { return n != 0 && below(n) == 0; }

  // Between 1 and about 2^`bits_max`, small numbers as often as large ones.
  std::uint64_t any_size(unsigned bits_max) {
    return 1 + below(std::uint64_t{1} << below(bits_max + 1));
  }

  template <typename T>
  const T& pick(const std::vector<T>& from) {
    return from[below(from.size())];
  }

 private:
  std::mt19937_64 source_;
};

}  // namespace vrelo::sim
