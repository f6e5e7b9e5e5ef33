// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "hub/base/sqlite/connection.h"
#include "hub/log/sqlite/database.h"

namespace vrelo::log::sqlite {

// What a record counts in the limits: the event as it is written, and for its row and its entries
// in the index what they take on average.
constexpr std::uint64_t record_bytes(std::string_view event) {
  return event.size() + 64;
}

// What is over the limits: the oldest records go until nothing of it is left.
struct Excess {
  std::uint64_t bytes = 0;
  std::uint64_t records = 0;
  std::int64_t stored_before = 0;  // nanoseconds since 1970
};

// What a slice of retention did.
struct Removed {
  std::uint64_t begin = 0;  // the newest record that was removed
  std::uint64_t bytes = 0;  // record_bytes() of those that were removed
  std::uint64_t forgotten_to = 0;
};

// Removes the oldest records from the file, and keeps of each topic the last one that was removed,
// so that a reader of quiet topics whose cursor is older than the history gets no false gap. Of at
// most `topics_max` topics: beyond that an eighth, the longest ago, is forgotten, and
// `forgotten_to` says up to where.
//
// Threads: the writer's. Lifetime: within that of the connection.
class Remover {
 public:
  static base::sqlite::Result<Remover> open(base::sqlite::Connection& connection,
                                            const State& state,
                                            std::uint64_t topics_max);

  // Removes records after `begin` and up to `end` while there is excess, at most `records_max` of
  // them.
  // Order: in a transaction. If that does not commit, nothing has changed.
  // Cost: linear in what is removed; 1,000 records take some milliseconds.
  base::sqlite::Result<Removed> remove(base::sqlite::Connection& connection,
                                       std::uint64_t begin,
                                       std::uint64_t end,
                                       Excess excess,
                                       std::size_t records_max);

  // Tells what became of the transaction.
  void committed();
  void rolled_back();

  // When the oldest record after `begin` was stored, in nanoseconds since 1970; the largest value
  // if there is none.
  base::sqlite::Result<std::int64_t> oldest(std::uint64_t begin);

 private:
  Remover(base::sqlite::Statement select,
          base::sqlite::Statement erase,
          base::sqlite::Statement update_topic,
          base::sqlite::Statement insert_topic,
          base::sqlite::Statement update_state,
          const State& state,
          std::uint64_t topics_max,
          std::uint64_t topics);

  base::sqlite::Result<void> note(base::sqlite::Connection& connection,
                                  std::uint64_t topic,
                                  std::uint64_t offset);
  base::sqlite::Result<void> forget(base::sqlite::Connection& connection);

  // What changes with a transaction, and comes back without it.
  struct Known {
    std::uint64_t topics = 0;
    std::uint64_t forgotten_to = 0;
  };

  base::sqlite::Statement select_;
  base::sqlite::Statement erase_;
  base::sqlite::Statement update_topic_;
  base::sqlite::Statement insert_topic_;
  base::sqlite::Statement update_state_;
  HashKey hash_key_;
  std::uint64_t topics_max_;
  Known known_;
  Known committed_;
};

}  // namespace vrelo::log::sqlite
