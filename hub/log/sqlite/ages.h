// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>

#include "hub/base/clock.h"

namespace vrelo::log::sqlite {

// A time as it is written to the file: nanoseconds since 1970.
inline std::int64_t nanoseconds(base::Clock::Wall time) {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(time.time_since_epoch()).count();
}

// How old the records are, whatever happens to the time of day. Those that this process has stored
// age by the steady clock. Of those of before, the file has the time of day alone; from the moment
// it was opened they too age by the steady clock.
//
// Where the time of day was set forward, that makes records of before older than they are. So it is
// believed only when the file has been open for a minute: a limit of a minute or more then removes
// nothing that was stored within the last real minute.
//
// A few thousand marks stand for all records: one may be held for younger than it is, by a
// thousandth of the time that they span, and never for older.
//
// Threads: one at a time.
class Ages {
 public:
  // `marks_max`: at least 8.
  explicit Ages(std::size_t marks_max = 4096) : marks_max_(marks_max) {}

  // Begins with a log whose records up to `end` are of before.
  void begin(std::uint64_t end, base::Clock::Wall wall, base::Clock::Steady steady);

  // Notes that records up to `offset` were stored now. Order: offsets grow, and times do not
  // decrease.
  void note(std::uint64_t offset, base::Clock::Steady steady);

  // The records that are too old: all up to `to`, and of those up to `before_to` the ones that were
  // stored before `before`, by the time of day.
  struct Old {
    std::uint64_t to = 0;
    std::uint64_t before_to = 0;
    base::Clock::Wall before = {};
  };

  // Returns what is older than `age`. Order: what was given once is given again, also for a greater
  // age: it was removed.
  Old older_than(std::chrono::seconds age, base::Clock::Steady steady);

 private:
  // The records up to `offset`, and after the mark before, were stored up to `last`.
  struct Mark {
    std::uint64_t offset = 0;
    base::Clock::Steady first = {};
    base::Clock::Steady last = {};
  };

  void merge();

  const std::size_t marks_max_;
  std::uint64_t begin_ = 0;
  base::Clock::Wall begin_wall_;
  base::Clock::Steady begin_steady_;
  std::uint64_t old_to_ = 0;
  std::deque<Mark> marks_;
  std::chrono::nanoseconds resolution_{0};  // what was stored within it shares a mark
};

}  // namespace vrelo::log::sqlite
