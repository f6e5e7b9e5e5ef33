// SPDX-License-Identifier: Apache-2.0
#include "hub/log/sqlite/index_run.h"

#include <algorithm>
#include <cassert>
#include <limits>
#include <optional>
#include <utility>

#include <fmt/format.h>

namespace vrelo::log::sqlite {
namespace {

using base::sqlite::Connection;
using base::sqlite::Result;
using base::sqlite::Statement;

// Returns the checksum of all that is in a run's row.
std::uint64_t checksum_of(const IndexRun& run) {
  std::string bytes = fmt::format("{} {} {}", run.after, run.topics, run.block_first());
  for (const IndexList& list : run.lists) {
    bytes += fmt::format(" {}", list.fences.size());
  }
  for (const IndexList& list : run.lists) {
    bytes += encode_fences(list.fences);
  }
  bytes += run.contents.bytes();
  return index_checksum(run.last, bytes);
}

// Makes the run of a row; nullopt if the row is damaged.
std::optional<IndexRun> run_of(const Statement& row) {
  IndexRun run{.after = row.bits(1), .last = row.bits(0), .topics = row.bits(2)};
  std::uint64_t block = row.bits(3);
  for (std::size_t key = 0; key < kKeys.size(); ++key) {
    auto fences = decode_fences(row.bytes(4 + static_cast<int>(key)));
    if (!fences) {
      return std::nullopt;
    }
    run.lists[key] = {.block_first = block, .fences = std::move(*fences)};
    block = run.lists[key].block_end();
  }
  auto filter = ContentFilter::from(row.bytes(4 + static_cast<int>(kKeys.size())));
  if (!filter || run.after >= run.last) {
    return std::nullopt;
  }
  run.contents = std::move(*filter);
  if (row.bits(5 + static_cast<int>(kKeys.size())) != checksum_of(run)) {
    return std::nullopt;
  }
  return run;
}

}  // namespace

Result<IndexList::Found> IndexRun::find(BlockSource& source,
                                        Key key,
                                        std::uint64_t hash,
                                        std::uint64_t from,
                                        std::size_t max,
                                        std::vector<std::uint64_t>& offsets) const {
  if (from >= last || (key == Key::kContent && !contents.may_have(hash))) {
    return IndexList::Found::kAll;
  }
  const std::size_t before = offsets.size();
  const std::uint64_t above = from > after ? from - after : 0;
  const auto found = list(key).find(source, {.hash = hash, .value = above}, max, offsets);
  for (std::size_t i = before; i < offsets.size(); ++i) {
    if (offsets[i] > last - after) {
      return base::sqlite::Errc::kDamaged;
    }
    offsets[i] += after;
  }
  return found;
}

Result<IndexRuns> read_runs(Connection& connection, const State& state) {
  auto select = connection.prepare(
      "SELECT last, after, topics, block_first, topic_fences, id_fences, content_fences,"
      " content_filter, checksum FROM runs ORDER BY last");
  if (!select) {
    return select.error();
  }
  IndexRuns runs;
  while (true) {
    const auto row = select->step();
    if (!row) {
      return row.error();
    }
    if (!*row) {
      break;
    }
    auto run = run_of(*select);
    if (!run || (!runs.empty() && run->after != runs.back()->last)) {
      return base::sqlite::Errc::kDamaged;
    }
    runs.push_back(std::make_shared<const IndexRun>(std::move(*run)));
  }
  const bool whole =
      runs.empty() ? state.begin >= state.indexed_to
                   : runs.front()->after <= state.begin && runs.back()->last == state.indexed_to;
  if (!whole) {
    return base::sqlite::Errc::kDamaged;
  }
  return runs;
}

Result<void> add_run(Connection& connection, const IndexRun& run) {
  auto insert = connection.prepare("INSERT INTO runs VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?)");
  if (!insert) {
    return insert.error();
  }
  std::array<std::string, kKeys.size()> fences;
  insert->bind_bits(1, run.last)
      .bind_bits(2, run.after)
      .bind_bits(3, run.topics)
      .bind_bits(4, run.block_first());
  for (std::size_t key = 0; key < kKeys.size(); ++key) {
    fences[key] = encode_fences(run.lists[key].fences);
    insert->bind_blob(5 + static_cast<int>(key), fences[key]);
  }
  insert->bind_blob(5 + static_cast<int>(kKeys.size()), run.contents.bytes())
      .bind_bits(6 + static_cast<int>(kKeys.size()), checksum_of(run));
  return insert->run();
}

IndexRunWriter::IndexRunWriter(std::shared_ptr<const Chunk> chunk, std::uint64_t block_first)
    : chunk_(std::move(chunk)),
      run_{.after = chunk_->after(),
           .last = chunk_->last(),
           .topics = chunk_->hashes(Key::kTopic),
           .contents = ContentFilter(chunk_->hashes(Key::kContent))},
      block_next_(block_first) {
  assert(chunk_->records() > 0);
  run_.lists[0].block_first = block_first;
}

void IndexRunWriter::stage(std::size_t entries_max) {
  assert(!complete_);
  if (!staged_.empty()) {
    return;
  }
  // Short lists share a slice.
  for (std::size_t left = entries_max; left > 0 && !all_staged();) {
    left -= stage_some(left);
  }
}

// Sorts up to `max` more entries of the list that is being made, and ends it after its last ones.
// Returns how many.
std::size_t IndexRunWriter::stage_some(std::size_t max) {
  if (!std::exchange(begun_, true)) {
    entries_ = chunk_->entries(kKeys[key_]);
    taken_ = 0;
    list_ = {};
  }
  const auto first = entries_.begin() + static_cast<std::ptrdiff_t>(taken_);
  const std::size_t count = std::min(max, entries_.size() - taken_);
  const auto last = first + static_cast<std::ptrdiff_t>(count);
  if (last != entries_.end()) {
    std::nth_element(first, last, entries_.end());
  }
  std::sort(first, last);
  for (auto entry = first; entry != last; ++entry) {
    list_.add(*entry);
    if (kKeys[key_] == Key::kContent) {
      run_.contents.add(entry->hash);
    }
  }
  taken_ += count;
  if (taken_ == entries_.size()) {
    end_list();
  }
  for (std::string& block : list_.take_blocks()) {
    staged_.push_back(std::move(block));
  }
  return count;
}

void IndexRunWriter::end_list() {
  list_.finish();
  run_.lists[key_].fences = list_.fences();
  const std::uint64_t block_end = run_.lists[key_].block_end();
  ++key_;
  begun_ = false;
  if (!all_staged()) {
    run_.lists[key_].block_first = block_end;
  }
}

Result<void> IndexRunWriter::write(Connection& connection, std::uint64_t indexed_bytes) {
  if (auto written = write_blocks(connection, block_next_, staged_); !written) {
    return written;
  }
  if (!all_staged()) {
    return {};
  }
  if (auto added = add_run(connection, run_); !added) {
    return added;
  }
  auto update = connection.prepare("UPDATE state SET indexed_to=?, indexed_bytes=?");
  if (!update) {
    return update.error();
  }
  return update->bind_bits(1, run_.last).bind_bits(2, indexed_bytes).run();
}

void IndexRunWriter::written() {
  block_next_ += staged_.size();
  staged_.clear();
  complete_ = all_staged();
}

}  // namespace vrelo::log::sqlite
