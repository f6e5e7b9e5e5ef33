// SPDX-License-Identifier: Apache-2.0
#include "hub/log/sqlite/sources.h"

#include <chrono>
#include <memory>
#include <utility>

#include <fmt/format.h>

#include "hub/log/sqlite/record_codec.h"

namespace vrelo::log::sqlite {

using base::sqlite::Reset;
using base::sqlite::Result;
using base::sqlite::Statement;

Result<RecordPtr> record_of(const Statement& row, std::uint64_t epoch) {
  auto event = decode_event(row.bytes(2));
  if (!event) {
    return base::sqlite::Errc::kDamaged;
  }
  const std::chrono::nanoseconds since_1970(row.integer(1));
  return std::make_shared<const Record>(Record{
      .position = {.epoch = epoch, .offset = row.bits(0)},
      .stored_at =
          base::Clock::Wall(std::chrono::duration_cast<base::Clock::Wall::duration>(since_1970)),
      .event = std::move(*event)});
}

Result<RecordPtr> record_at(ReadFile& file, std::uint64_t offset, std::uint64_t epoch) {
  Statement& select = file.select_one;
  const Reset reset(select);
  const auto row = select.bind_bits(1, offset).step();
  if (!row) {
    return row.error();
  }
  if (*row) {
    return record_of(select, epoch);
  }
  const auto removed = file.connection.integer("SELECT begin_offset FROM state");
  if (!removed) {
    return removed.error();
  }
  if (static_cast<std::uint64_t>(*removed) < offset) {
    return base::sqlite::Errc::kDamaged;
  }
  return RecordPtr();
}

Result<IndexList::Found> RunFind::operator()(std::uint64_t hash,
                                             std::uint64_t after,
                                             std::size_t max,
                                             std::vector<std::uint64_t>& offsets) {
  const auto found = run_.find(file_.blocks, key_, hash, after, max, offsets);
  if (found && *found == IndexList::Found::kNoBlock) {
    const auto runs =
        file_.connection.integer(fmt::format("SELECT count(*) FROM runs WHERE last={}", run_.last));
    if (!runs) {
      return runs.error();
    }
    if (*runs > 0) {
      return base::sqlite::Errc::kDamaged;
    }
  }
  return found;
}

Result<IndexList::Found> ChunkFind::operator()(std::uint64_t hash,
                                               std::uint64_t after,
                                               std::size_t max,
                                               std::vector<std::uint64_t>& offsets) {
  return catalog_.find(view_, chunk_, key_, hash, after, max, offsets) ? IndexList::Found::kMore
                                                                       : IndexList::Found::kAll;
}

std::uint64_t last_of(const View& view, const Chunk& chunk) {
  return &chunk == view.chunks.back().get() ? view.end : chunk.last();
}

}  // namespace vrelo::log::sqlite
