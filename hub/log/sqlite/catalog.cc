// SPDX-License-Identifier: Apache-2.0
#include "hub/log/sqlite/catalog.h"

#include <algorithm>
#include <cassert>
#include <string>
#include <utility>

namespace vrelo::log::sqlite {
namespace {

// Roughly what a record takes in memory.
std::size_t bytes_of(const Record& record) {
  constexpr std::size_t kFixed = 256;
  return kFixed + text_bytes(record.event) + record.event.topics.size() * sizeof(std::string);
}

}  // namespace

void Catalog::reset(Position begin,
                    std::uint64_t end,
                    WrittenIndex index,
                    std::vector<std::shared_ptr<Chunk>> chunks) {
  assert(!chunks.empty());
  assert(chunks.back()->last() == end);
  const std::lock_guard lock(mutex_);
  // What is in memory stays if the file has not moved from under it.
  if (epoch_ != begin.epoch || end_ != end) {
    recent_.clear();
    recent_bytes_ = 0;
  }
  epoch_ = begin.epoch;
  begin_ = begin.offset;
  end_ = end;
  index_ = std::move(index);
  chunks_ = std::move(chunks);
}

std::vector<OperationPtr> Catalog::commit(std::span<const Committed> batch) {
  std::vector<RecordPtr> forgotten;  // freed after the lock
  const std::lock_guard lock(mutex_);
  for (const Committed& committed : batch) {
    assert(committed.record->position == (Position{.epoch = epoch_, .offset = end_ + 1}));
    if (chunks_.back()->is_full(chunk_limits_)) {
      chunks_.push_back(std::make_shared<Chunk>(end_));
    }
    chunks_.back()->add(committed.keys, committed.bytes);
    recent_bytes_ += bytes_of(*committed.record);
    recent_.push_back(committed.record);
    ++end_;
  }
  while (recent_bytes_ > recent_bytes_max_ && recent_.size() > 1) {
    recent_bytes_ -= bytes_of(*recent_.front());
    forgotten.push_back(std::move(recent_.front()));
    recent_.pop_front();
  }
  return std::exchange(waiters_, {});
}

void Catalog::removed(std::uint64_t begin) {
  const std::lock_guard lock(mutex_);
  assert(begin >= begin_ && begin <= end_);
  begin_ = begin;
  while (!recent_.empty() && recent_.front()->position.offset <= begin) {
    recent_bytes_ -= bytes_of(*recent_.front());
    recent_.pop_front();
  }
}

void Catalog::indexed(WrittenIndex index) {
  std::vector<std::shared_ptr<Chunk>> written;  // freed after the lock
  const std::lock_guard lock(mutex_);
  index_ = std::move(index);
  // The last one stays, because commit() adds to it.
  while (chunks_.size() > 1 && chunks_.front()->last() <= index_.indexed_to) {
    written.push_back(std::move(chunks_.front()));
    chunks_.erase(chunks_.begin());
  }
}

std::shared_ptr<const Chunk> Catalog::full_chunk() const {
  const std::lock_guard lock(mutex_);
  return chunks_.size() > 1 ? chunks_.front() : nullptr;
}

Position Catalog::begin() const {
  const std::lock_guard lock(mutex_);
  return {.epoch = epoch_, .offset = begin_};
}

Position Catalog::end() const {
  const std::lock_guard lock(mutex_);
  return {.epoch = epoch_, .offset = end_};
}

View Catalog::view() const {
  const std::lock_guard lock(mutex_);
  return {.epoch = epoch_,
          .begin = begin_,
          .end = end_,
          .index = index_,
          .chunks = {chunks_.begin(), chunks_.end()}};
}

bool Catalog::find(const View& view,
                   const Chunk& chunk,
                   Key key,
                   std::uint64_t hash,
                   std::uint64_t after,
                   std::size_t max,
                   std::vector<std::uint64_t>& offsets) const {
  const std::lock_guard lock(mutex_);
  const std::size_t before = offsets.size();
  bool more = chunk.find(key, hash, after, max, offsets);
  while (offsets.size() > before && offsets.back() > view.end) {
    offsets.pop_back();
    more = false;
  }
  return more;
}

Catalog::Recent Catalog::recent(Position after, ReadLimits limits) const {
  const std::lock_guard lock(mutex_);
  if (stopped_) {
    return {.kind = Recent::Kind::kStopped};
  }
  if (after.epoch != epoch_ || after.offset > end_) {
    return {.kind = Recent::Kind::kGone};
  }
  if (after.offset < begin_) {
    return {.kind = Recent::Kind::kGone};
  }
  if (after.offset == end_) {
    return {.kind = Recent::Kind::kWait};
  }
  const std::uint64_t left = end_ - after.offset;
  if (left > recent_.size()) {
    return {.kind = Recent::Kind::kStorage};
  }
  Recent recent{.kind = Recent::Kind::kRecords};
  std::size_t bytes = 0;
  for (auto at = recent_.end() - static_cast<std::ptrdiff_t>(left); at != recent_.end(); ++at) {
    bytes += text_bytes((*at)->event);
    if (!recent.records.empty() &&
        (recent.records.size() >= limits.records_max || bytes > limits.bytes_max)) {
      break;
    }
    recent.records.push_back(*at);
  }
  return recent;
}

OperationPtr Catalog::wait(Position after, OperationPtr waiter) {
  const std::lock_guard lock(mutex_);
  if (stopped_ || after.epoch != epoch_ || after.offset != end_) {
    return waiter;
  }
  waiters_.push_back(std::move(waiter));
  return nullptr;
}

OperationPtr Catalog::take_waiter(const Operation* waiter) {
  const std::lock_guard lock(mutex_);
  const auto found = std::find_if(waiters_.begin(), waiters_.end(),
                                  [waiter](const auto& kept) { return kept.get() == waiter; });
  if (found == waiters_.end()) {
    return nullptr;
  }
  OperationPtr taken = std::move(*found);
  waiters_.erase(found);
  return taken;
}

std::vector<OperationPtr> Catalog::take_waiters() {
  const std::lock_guard lock(mutex_);
  return std::exchange(waiters_, {});
}

std::vector<OperationPtr> Catalog::stop() {
  const std::lock_guard lock(mutex_);
  stopped_ = true;
  return std::exchange(waiters_, {});
}

bool Catalog::is_stopped() const {
  const std::lock_guard lock(mutex_);
  return stopped_;
}

}  // namespace vrelo::log::sqlite
