// SPDX-License-Identifier: Apache-2.0
#include "hub/log/sqlite/remover.h"

#include <algorithm>
#include <utility>

namespace vrelo::log::sqlite {
namespace {

using base::sqlite::Connection;
using base::sqlite::Result;

// Counts down what may still be done.
class Allowance {
 public:
  explicit Allowance(RemovalLimits limits) : limits_(limits) {}

  bool is_left() const {
    return records_ == 0 || (records_ < limits_.records_max && bytes_ < limits_.bytes_max);
  }

  void take(std::uint64_t bytes) {
    ++records_;
    bytes_ += bytes;
  }

 private:
  const RemovalLimits limits_;
  std::size_t records_ = 0;
  std::uint64_t bytes_ = 0;
};

}  // namespace

Result<Remover> Remover::open(Connection& connection) {
  // length() does not read what it measures.
  auto select = connection.prepare(
      "SELECT offset, stored_at, length(event) FROM records WHERE offset > ? ORDER BY offset");
  auto erase = connection.prepare("DELETE FROM records WHERE offset <= ?");
  auto update = connection.prepare("UPDATE state SET begin_offset=?, begin_bytes=?");
  for (const auto* const prepared : {&select, &erase, &update}) {
    if (!*prepared) {
      return prepared->error();
    }
  }
  return Remover(std::move(*select), std::move(*erase), std::move(*update));
}

Result<std::uint64_t> Remover::erased_to(Connection& connection, std::uint64_t end) {
  const auto first = connection.integer("SELECT min(offset) FROM records");
  if (!first) {
    return first.error();
  }
  return *first == 0 ? end : static_cast<std::uint64_t>(*first) - 1;
}

Result<Beginning> Remover::advance(Beginning begin,
                                   std::uint64_t end,
                                   Excess excess,
                                   RemovalLimits limits) {
  const Beginning before = begin;
  begin.oldest = 0;
  const base::sqlite::Reset reset(select_);
  select_.bind_bits(1, begin.offset);
  for (Allowance allowance(limits); begin.offset < end && allowance.is_left();) {
    const auto row = select_.step();
    if (!row) {
      return row.error();
    }
    if (!*row || select_.bits(0) != begin.offset + 1) {
      return base::sqlite::Errc::kDamaged;
    }
    begin.oldest = select_.integer(1);
    if (excess.bytes == 0 && excess.records == 0 && !begin.is_too_old(excess.old)) {
      break;
    }
    const std::uint64_t bytes = record_bytes(select_.bits(2));
    excess.bytes -= std::min(excess.bytes, bytes);
    excess.records -= std::min<std::uint64_t>(excess.records, 1);
    ++begin.offset;
    begin.oldest = 0;
    begin.bytes += bytes;
    allowance.take(bytes);
  }
  if (begin.offset != before.offset) {
    update_state_.bind_bits(1, begin.offset).bind_bits(2, begin.bytes);
    if (auto updated = update_state_.run(); !updated) {
      return updated.error();
    }
  }
  return begin;
}

Result<std::uint64_t> Remover::erase(std::uint64_t from, std::uint64_t to, RemovalLimits limits) {
  std::uint64_t erased_to = from;
  {
    const base::sqlite::Reset reset(select_);
    select_.bind_bits(1, from);
    for (Allowance allowance(limits); erased_to < to && allowance.is_left(); ++erased_to) {
      const auto row = select_.step();
      if (!row) {
        return row.error();
      }
      if (!*row || select_.bits(0) != erased_to + 1) {
        return base::sqlite::Errc::kDamaged;
      }
      allowance.take(record_bytes(select_.bits(2)));
    }
  }
  if (erased_to != from) {
    if (auto erased = erase_.bind_bits(1, erased_to).run(); !erased) {
      return erased.error();
    }
  }
  return erased_to;
}

}  // namespace vrelo::log::sqlite
