// SPDX-License-Identifier: Apache-2.0
#include "hub/log/sqlite/find_id.h"

#include <algorithm>
#include <utility>
#include <vector>

namespace vrelo::log::sqlite {

using base::sqlite::Result;
using base::sqlite::Transaction;

FindId::FindId(std::unique_ptr<FindOperation> operation, const Sources& sources, std::string id)
    : operation_(std::move(operation)),
      sources_(sources),
      id_(std::move(id)),
      hash_(siphash(sources.hash_key, id_)) {}

Result<ReadWork::Step> FindId::step(ReadFile& file) {
  const View view = sources_.catalog.view();
  auto transaction = Transaction::begin(file.connection, Transaction::Kind::kRead);
  if (!transaction) {
    return transaction.error();
  }
  cursor_ = std::max(cursor_, view.begin);
  std::size_t looked_at = 0;
  for (const IndexRunPtr& run : *view.index.runs) {
    if (run->last <= cursor_) {
      continue;
    }
    if (++looked_at > kBlocksAtOnce) {
      return Step::kAgain;
    }
    const auto part = look(file, view, run->last, RunFind(file, *run, Key::kId));
    if (!part) {
      return part.error();
    }
    if (*part == Part::kFound) {
      return Step::kDone;
    }
  }
  for (const auto& chunk : view.chunks) {
    const auto part = look(file, view, last_of(view, *chunk),
                           ChunkFind(sources_.catalog, view, *chunk, Key::kId));
    if (!part) {
      return part.error();
    }
    if (*part == Part::kFound) {
      return Step::kDone;
    }
  }
  operation_->result = std::optional<Position>();
  return Step::kDone;
}

// Looks for the id up to `last`, where `find` is the index. An index that was taken over since has
// nothing that is kept.
template <typename Find>
Result<FindId::Part> FindId::look(ReadFile& file, const View& view, std::uint64_t last, Find find) {
  std::vector<std::uint64_t> offsets;
  while (cursor_ < last) {
    offsets.clear();
    if (const auto found = find(hash_, cursor_, 1, offsets); !found) {
      return found.error();
    }
    if (offsets.empty()) {
      cursor_ = last;
      break;
    }
    cursor_ = offsets.front();
    const auto record = record_at(file, cursor_, view.epoch);
    if (!record) {
      return record.error();
    }
    if (*record == nullptr) {
      continue;
    }
    sources_.counters.rows_visited.fetch_add(1, std::memory_order_relaxed);
    if ((*record)->event.id == id_) {
      operation_->result = std::optional((*record)->position);
      return Part::kFound;
    }
  }
  return Part::kNotThere;
}

}  // namespace vrelo::log::sqlite
