// SPDX-License-Identifier: Apache-2.0
#include "hub/log/memory/history.h"

#include <algorithm>
#include <cassert>
#include <chrono>
#include <memory>
#include <span>
#include <utility>

#include "hub/base/random.h"
#include "hub/log/event_filter.h"
#include "hub/log/memory/record_bytes.h"

namespace vrelo::log::memory {
namespace {

// How many records leave memory in one call: more than one call adds, and few enough to wait for.
constexpr std::size_t kSweepRecords = 64;

// How many records a read with patterns looks at: about a millisecond, on a shard's thread.
constexpr std::size_t kScanRecords = 1024;

// A limit beyond which age is no limit, so that no sum overflows.
constexpr std::chrono::seconds kAgeEver = std::chrono::hours(24 * 365 * 100);

}  // namespace

History::History(const Retention& retention,
                 const base::Clock& clock,
                 std::size_t removed_topics_max,
                 std::uint64_t epoch)
    : clock_(clock),
      hash_key_({base::random_value(), base::random_value()}),
      epoch_(epoch),
      retention_(retention),
      removed_topics_(removed_topics_max) {}

boost::system::result<Appended> History::append(Event event) {
  Entry entry;
  hash(event, entry);
  const std::size_t bytes = bytes_of(event);
  const auto record =
      std::make_shared<Record>(Record{.position = {}, .stored_at = {}, .event = std::move(event)});
  entry.record = record;

  Removed removed;  // freed after the lock
  std::vector<OperationPtr> woken;
  Appended appended;
  {
    const std::lock_guard lock(mutex_);
    if (closed_) {
      return Errc::kStopped;
    }
    entry.stored_at = clock_.steady();
    trim(entry.stored_at);
    if (!record->event.id.empty()) {
      if (const auto equal = find_equal(record->event, entry.content)) {
        return Appended{.position = {.epoch = epoch_, .offset = *equal}, .is_new = false};
      }
    }
    if (retention_.bytes_max != 0 && bytes > retention_.bytes_max) {
      return Errc::kFull;
    }
    stored_last_ = std::max(stored_last_, clock_.wall());  // never decreases
    record->stored_at = stored_last_;
    record->position = {.epoch = epoch_, .offset = ++end_};
    appended.position = record->position;
    entry.bytes_before = std::exchange(bytes_, bytes_ + bytes);
    index(entry);
    entries_.push_back(std::move(entry));
    trim(entries_.back().stored_at);
    sweep(removed);
    woken = std::exchange(waiters_, {});
  }
  complete_all(std::move(woken));
  return appended;
}

boost::system::result<Page> History::read(Position after,
                                          const Selection& selection,
                                          ReadLimits limits) {
  if (!selection.all && !selection.patterns.empty()) {
    return read_matching(after, selection, limits);
  }
  std::vector<std::uint64_t> topics;
  if (!selection.all) {
    topics.reserve(selection.topics.size());
    for (const std::string& topic : selection.topics) {
      topics.push_back(siphash(hash_key_, topic));
    }
  }

  Removed removed;
  const std::lock_guard lock(mutex_);
  if (closed_) {
    return Errc::kStopped;
  }
  trim(clock_.steady());
  sweep(removed);
  if (after.epoch != epoch_ || after.offset > end_) {
    return Errc::kPositionGone;
  }
  if (after.offset < begin_) {
    if (selection.all || is_gone(topics, after.offset)) {
      return Errc::kPositionGone;
    }
    after.offset = begin_;
  }
  PageFilling page(limits, {.epoch = epoch_, .offset = end_});
  if (selection.all) {
    read_all(after.offset, page);
  } else {
    read_topics(after.offset, selection, topics, page);
  }
  return page.take();
}

// Patterns are looked at after the lock.
boost::system::result<Page> History::read_matching(Position after,
                                                   const Selection& selection,
                                                   ReadLimits limits) {
  std::vector<RecordPtr> records;
  {
    Removed removed;
    const std::lock_guard lock(mutex_);
    if (closed_) {
      return Errc::kStopped;
    }
    trim(clock_.steady());
    sweep(removed);
    if (after.epoch != epoch_ || after.offset > end_ || after.offset < begin_) {
      return Errc::kPositionGone;
    }
    const std::uint64_t last =
        after.offset + std::min<std::uint64_t>(end_ - after.offset, kScanRecords);
    for (std::uint64_t offset = after.offset + 1; offset <= last; ++offset) {
      records.push_back(visit(offset).record);
    }
  }
  EventFilter filter(selection);
  PageFilling page(limits, records.empty() ? after : records.back()->position);
  for (const RecordPtr& record : records) {
    if (filter.wants(record->event.topics) && !page.add(record)) {
      break;
    }
  }
  return page.take();
}

boost::system::result<std::optional<Position>> History::find(std::string_view event_id) {
  const std::uint64_t id = siphash(hash_key_, event_id);
  Removed removed;
  const std::lock_guard lock(mutex_);
  if (closed_) {
    return Errc::kStopped;
  }
  trim(clock_.steady());
  sweep(removed);
  for (const std::uint64_t offset : ids_.after(id, begin_)) {
    const Record& record = *visit(offset).record;
    if (record.event.id == event_id) {
      return std::optional(record.position);
    }
  }
  return std::optional<Position>();
}

Position History::begin() {
  Removed removed;
  const std::lock_guard lock(mutex_);
  trim(clock_.steady());
  sweep(removed);
  return {.epoch = epoch_, .offset = begin_};
}

Position History::end() const {
  const std::lock_guard lock(mutex_);
  return {.epoch = epoch_, .offset = end_};
}

OperationPtr History::wait(Position after, OperationPtr waiter) {
  const std::lock_guard lock(mutex_);
  if (closed_ || after != Position{.epoch = epoch_, .offset = end_}) {
    return waiter;
  }
  waiters_.push_back(std::move(waiter));
  return nullptr;
}

OperationPtr History::take_waiter(const Operation* waiter) {
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

void History::set_retention(const Retention& retention) {
  bool swept = false;
  for (bool first = true; !swept; first = false) {
    Removed removed;
    const std::lock_guard lock(mutex_);
    if (first) {
      retention_ = retention;
    }
    trim(clock_.steady());
    sweep(removed);
    swept = swept_ == begin_;
  }
}

void History::close() {
  std::vector<OperationPtr> woken;
  {
    const std::lock_guard lock(mutex_);
    closed_ = true;
    woken = std::exchange(waiters_, {});
  }
  complete_all(std::move(woken));
}

MemoryStats History::stats() const {
  const std::lock_guard lock(mutex_);
  return {.records = entries_.size(),
          .topics = topics_.size(),
          .ids = ids_.size(),
          .removed_topics = removed_topics_.size(),
          .bytes = entries_.empty() ? 0 : bytes_ - entries_.front().bytes_before,
          .records_visited = visited_};
}

// Fills in the hashes of all that `event` is found by.
void History::hash(const Event& event, Entry& entry) const {
  for (const std::string& topic : event.topics) {
    entry.topics.push_back(siphash(hash_key_, topic));
  }
  if (!event.id.empty()) {
    entry.id = siphash(hash_key_, event.id);
    // Of all parts at once. An index by content, because a publisher may use one id for everything,
    // and the next event must not be compared with each one before it.
    boost::container::small_vector<std::uint64_t, 16> parts(entry.topics.begin(),
                                                            entry.topics.end());
    parts.push_back(entry.id);
    parts.push_back(siphash(hash_key_, event.type));
    parts.push_back(siphash(hash_key_, event.data));
    parts.push_back(event.retry ? static_cast<std::uint64_t>(event.retry->count()) : 0);
    parts.push_back((event.retry ? 2U : 0U) + (event.is_private ? 1U : 0U));
    entry.content = siphash(hash_key_, {reinterpret_cast<const char*>(parts.data()),
                                        parts.size() * sizeof(std::uint64_t)});
  }
  std::sort(entry.topics.begin(), entry.topics.end());
  entry.topics.erase(std::unique(entry.topics.begin(), entry.topics.end()), entry.topics.end());
}

// Returns the offset of a kept record that is the same event.
std::optional<std::uint64_t> History::find_equal(const Event& event, std::uint64_t content) {
  for (const std::uint64_t offset : contents_.after(content, begin_)) {
    if (visit(offset).record->event == event) {
      return offset;
    }
  }
  return std::nullopt;
}

const History::Entry& History::visit(std::uint64_t offset) {
  ++visited_;
  return entry(offset);
}

const History::Entry& History::entry(std::uint64_t offset) const {
  assert(offset > swept_);
  assert(offset <= end_);
  return entries_[offset - swept_ - 1];
}

// Returns whether a record after `after` that was removed had one of the topics, or may have had.
bool History::is_gone(std::span<const std::uint64_t> topics, std::uint64_t after) const {
  return std::any_of(topics.begin(), topics.end(), [&](std::uint64_t topic) {
    const auto unswept = topics_.after(topic, after);
    return (!unswept.empty() && unswept.front() <= begin_) || removed_topics_.last(topic) > after;
  });
}

void History::read_all(std::uint64_t after, PageFilling& page) {
  for (std::uint64_t offset = after + 1; offset <= end_; ++offset) {
    if (!page.add(visit(offset).record)) {
      return;
    }
  }
}

void History::read_topics(std::uint64_t after,
                          const Selection& selection,
                          std::span<const std::uint64_t> topics,
                          PageFilling& page) {
  using Offsets = std::span<const std::uint64_t>;
  const auto later = [](Offsets a, Offsets b) { return a.front() > b.front(); };
  std::vector<Offsets> heap;  // the topic whose next record is the oldest is on top
  for (const std::uint64_t topic : topics) {
    if (const Offsets offsets = topics_.after(topic, after); !offsets.empty()) {
      heap.push_back(offsets);
    }
  }
  std::make_heap(heap.begin(), heap.end(), later);
  EventFilter filter(selection);
  std::uint64_t last = 0;
  while (!heap.empty()) {
    std::pop_heap(heap.begin(), heap.end(), later);
    const std::uint64_t offset = heap.back().front();
    // A record with several of the topics comes once, and one of another topic with the same hash
    // never.
    if (offset != std::exchange(last, offset)) {
      const RecordPtr& record = visit(offset).record;
      if (filter.wants(record->event.topics) && !page.add(record)) {
        return;
      }
    }
    heap.back() = heap.back().subspan(1);
    if (heap.back().empty()) {
      heap.pop_back();
    } else {
      std::push_heap(heap.begin(), heap.end(), later);
    }
  }
}

void History::index(const Entry& entry) {
  for (const std::uint64_t topic : entry.topics) {
    topics_.add(topic, end_);
  }
  if (!entry.record->event.id.empty()) {
    ids_.add(entry.id, end_);
    contents_.add(entry.content, end_);
  }
}

// Returns whether a limit does not allow the record at `offset`. If so, it allows none before it.
bool History::is_over(std::uint64_t offset, base::Clock::Steady now) const {
  const Entry& kept = entry(offset);
  const std::uint64_t records = end_ - offset + 1;
  return (retention_.records_max != 0 && records > retention_.records_max) ||
         (retention_.bytes_max != 0 && bytes_ - kept.bytes_before > retention_.bytes_max) ||
         (retention_.age_max.count() != 0 &&
          now - kept.stored_at > std::min(retention_.age_max, kAgeEver));
}

// Moves the begin to where the limits want it.
void History::trim(base::Clock::Steady now) {
  // Most often one record or none has to go, and sometimes all, so the steps grow.
  std::uint64_t over = begin_;
  std::uint64_t step = 1;
  while (step <= end_ - over && is_over(over + step, now)) {
    over += step;
    step *= 2;
  }
  while (step > 0) {
    if (step <= end_ - over && is_over(over + step, now)) {
      over += step;
    }
    step /= 2;
  }
  begin_ = over;
}

// Moves some of what was removed out of memory and into `removed`.
void History::sweep(Removed& removed) {
  for (std::size_t i = 0; i < kSweepRecords && swept_ < begin_; ++i) {
    Entry& oldest = entries_.front();
    ++swept_;
    for (const std::uint64_t topic : oldest.topics) {
      topics_.remove_oldest(topic, swept_);
      removed_topics_.add(topic, swept_);
    }
    if (!oldest.record->event.id.empty()) {
      ids_.remove_oldest(oldest.id, swept_);
      contents_.remove_oldest(oldest.content, swept_);
    }
    removed.push_back(std::move(oldest.record));
    entries_.pop_front();
  }
}

}  // namespace vrelo::log::memory
