// SPDX-License-Identifier: Apache-2.0
#include "hub/log/sqlite/ages.h"

#include <algorithm>
#include <cassert>
#include <utility>

namespace vrelo::log::sqlite {
namespace {

// An age beyond which nothing is that old, so that no difference overflows.
constexpr std::chrono::seconds kEver = std::chrono::hours(24 * 365 * 100);

// How long the file is open before the time of day makes anything in it too old.
constexpr std::chrono::minutes kWait{1};

}  // namespace

void Ages::begin(std::uint64_t end, base::Clock::Wall wall, base::Clock::Steady steady) {
  begin_ = end;
  begin_wall_ = wall;
  begin_steady_ = steady;
  old_to_ = 0;
  marks_.clear();
  resolution_ = std::chrono::nanoseconds(0);
}

void Ages::note(std::uint64_t offset, base::Clock::Steady steady) {
  assert(offset > (marks_.empty() ? begin_ : marks_.back().offset));
  if (!marks_.empty() && steady - marks_.back().first <= resolution_) {
    marks_.back().offset = offset;
    marks_.back().last = steady;
    return;
  }
  marks_.push_back({.offset = offset, .first = steady, .last = steady});
  if (marks_.size() > marks_max_) {
    merge();
  }
}

Ages::Old Ages::older_than(std::chrono::seconds age, base::Clock::Steady steady) {
  const std::chrono::seconds limit = std::min(age, kEver);
  if (steady - begin_steady_ > limit) {
    old_to_ = std::max(old_to_, begin_);  // also what claims to be of tomorrow
  }
  while (!marks_.empty() && steady - marks_.front().last > limit) {
    old_to_ = marks_.front().offset;
    marks_.pop_front();
  }
  const auto open_for =
      std::chrono::duration_cast<base::Clock::Wall::duration>(steady - begin_steady_);
  return {.to = old_to_,
          .before_to = open_for < kWait ? 0 : begin_,
          .before = begin_wall_ + open_for - limit};
}

// Halves the number of marks, or more, by letting those that are close together share one.
void Ages::merge() {
  const auto span = marks_.back().last - marks_.front().first;
  resolution_ = 4 * span / static_cast<std::int64_t>(marks_max_);
  std::deque<Mark> merged;
  for (const Mark& mark : marks_) {
    if (merged.empty() || mark.last - merged.back().first > resolution_) {
      merged.push_back(mark);
    } else {
      merged.back().offset = mark.offset;
      merged.back().last = mark.last;
    }
  }
  marks_ = std::move(merged);
}

}  // namespace vrelo::log::sqlite
