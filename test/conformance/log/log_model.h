// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "hub/base/clock.h"
#include "hub/log/log.h"

namespace vrelo::log {

// What a log should hold, in the simplest form: a vector of all records there ever were, of which
// those up to begin() are removed. It works under limits on records and age, not on bytes, whose
// count is each implementation's own.
//
// Invariant: positions are dense, as they are in memory and SQLite.
class LogModel {
 public:
  explicit LogModel(std::uint64_t epoch) : epoch_(epoch) {}

  Appended append(const Event& event, base::Clock::Steady now, base::Clock::Wall wall);

  // Removes what the limits do not allow at `now`.
  void remove(const Retention& retention, base::Clock::Steady now);

  Position begin() const { return {.epoch = epoch_, .offset = begin_}; }
  Position end() const { return {.epoch = epoch_, .offset = records_.size()}; }

  // Whether a record after `after` that `selection` wants was removed.
  bool has_lost(Position after, const Selection& selection) const;

  // All kept records after `after` that `selection` wants.
  std::vector<Record> read(Position after, const Selection& selection) const;

  std::optional<Position> find(const std::string& event_id) const;

 private:
  struct Stored {
    Record record;
    base::Clock::Steady at;
  };

  std::uint64_t epoch_;
  std::uint64_t begin_ = 0;
  std::vector<Stored> records_;
};

}  // namespace vrelo::log
