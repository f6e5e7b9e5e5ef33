// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>

#include "hub/base/sqlite/connection.h"
#include "hub/log/sqlite/ages.h"
#include "hub/log/sqlite/database.h"

namespace vrelo::log::sqlite {

// What is over the limits: the oldest records go until nothing of it is left.
struct Excess {
  std::uint64_t bytes = 0;
  std::uint64_t records = 0;
  Ages::Old old = {};
};

// Where the history begins.
struct Beginning {
  std::uint64_t offset = 0;  // of the newest record that was removed
  std::uint64_t bytes = 0;   // as State::begin_bytes

  // When the record after it was stored, in nanoseconds since 1970; 0: not known.
  std::int64_t oldest = 0;

  // Whether the record after it is too old.
  bool is_too_old(const Ages::Old& old) const {
    return offset < old.to || (offset < old.before_to && oldest < nanoseconds(old.before));
  }

  friend bool operator==(const Beginning&, const Beginning&) = default;
};

// How much is done at once: records until one of them is reached, but at least one.
struct RemovalLimits {
  std::size_t records_max = 0;
  std::uint64_t bytes_max = 0;
};

// Removes the oldest records: first it moves the beginning, after which nobody sees them; then it
// erases their rows.
//
// Threads: the writer's. Lifetime: within that of the connection. Order: in a transaction.
class Remover {
 public:
  static base::sqlite::Result<Remover> open(base::sqlite::Connection& connection);

  // Returns up to where rows were erased, in a log that ends at `end`.
  base::sqlite::Result<std::uint64_t> erased_to(base::sqlite::Connection& connection,
                                                std::uint64_t end);

  // Moves the beginning past records up to `end` while there is excess.
  // Errors: kDamaged, and those of the file.
  base::sqlite::Result<Beginning> advance(Beginning begin,
                                          std::uint64_t end,
                                          Excess excess,
                                          RemovalLimits limits);

  // Erases the rows after `from` and up to `to`. Returns up to where it came.
  base::sqlite::Result<std::uint64_t> erase(std::uint64_t from,
                                            std::uint64_t to,
                                            RemovalLimits limits);

 private:
  Remover(base::sqlite::Statement select,
          base::sqlite::Statement erase,
          base::sqlite::Statement update_state)
      : select_(std::move(select)),
        erase_(std::move(erase)),
        update_state_(std::move(update_state)) {}

  base::sqlite::Statement select_;  // (offset): offset, stored_at, bytes of those after it
  base::sqlite::Statement erase_;
  base::sqlite::Statement update_state_;
};

}  // namespace vrelo::log::sqlite
