// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "hub/base/clock.h"
#include "hub/log/log.h"

namespace vrelo::log {

// What a store is opened with.
struct OpenOptions {
  Retention retention = {};
  std::size_t removed_topics_max = 1'000'000;  // whose last removed offset is known
};

// One implementation of the contract, as the suite opens it: what it keeps, it keeps for as long as
// this object lives.
//
// Threads: one.
class Implementation {
 public:
  virtual ~Implementation() = default;

  // Opens the store. Order: only when the one opened before was destroyed.
  // Lifetime: `clock` outlives the store.
  virtual std::unique_ptr<Store> open(const OpenOptions& options, const base::Clock& clock) = 0;

  // Returns whether a store that is opened again has what the last one held.
  virtual bool persists() const = 0;

  // Returns how many records reads and look-ups have looked at since the store was opened.
  virtual std::uint64_t records_visited() const = 0;
};

// An implementation by its name: what the suite is run with.
struct ImplementationCase {
  std::string name;
  std::function<std::unique_ptr<Implementation>()> make;
};

// Returns all there are.
std::vector<ImplementationCase> implementations();

// Returns the same, and again those that do their work in pieces, with pieces so small that a
// record or two fill one.
std::vector<ImplementationCase> variants();

}  // namespace vrelo::log
