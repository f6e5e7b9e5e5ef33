// SPDX-License-Identifier: Apache-2.0
#include "hub/base/nearest.h"

#include <algorithm>
#include <cstddef>
#include <numeric>
#include <utility>
#include <vector>

namespace vrelo::base {
namespace {

// The restricted Damerau-Levenshtein distance, row by row; `before` is the row above `above`.
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> before(b.size() + 1);
  std::vector<std::size_t> above(b.size() + 1);
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(above.begin(), above.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t change = above[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      row[j] = std::min({above[j] + 1, row[j - 1] + 1, change});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        row[j] = std::min(row[j], before[j - 2] + 1);
      }
    }
    std::swap(before, above);
    std::swap(above, row);
  }
  return above[b.size()];
}

}  // namespace

std::string_view nearest(std::string_view word, std::span<const std::string_view> names) {
  constexpr std::size_t kWordMax = 100;  // a longer one is no typing error
  if (word.size() > kWordMax) {
    return {};
  }
  std::string_view found;
  std::size_t found_distance = std::max<std::size_t>(word.size() / 3, 1) + 1;
  for (const std::string_view name : names) {
    const std::size_t d = distance(word, name);
    if (d < found_distance) {
      found = name;
      found_distance = d;
    }
  }
  return found;
}

}  // namespace vrelo::base
