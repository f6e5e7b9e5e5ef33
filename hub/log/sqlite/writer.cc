// SPDX-License-Identifier: Apache-2.0
#include "hub/log/sqlite/writer.h"

#include <algorithm>
#include <cassert>
#include <limits>
#include <utility>

#include <fmt/format.h>

#include "hub/base/signals_held.h"
#include "hub/log/sqlite/record_codec.h"
#include "hub/log/sqlite/writer_file.h"

namespace vrelo::log::sqlite {
namespace {

using base::sqlite::Statement;
using base::sqlite::Transaction;

// How often the thread looks whether limits are over when nobody wakes it.
constexpr std::chrono::seconds kIdle{1};

// Bytes of a frame in the write-ahead log: a page and its header.
constexpr std::int64_t kFrameBytes = 4096 + 24;

}  // namespace

AppendOperation::AppendOperation(std::shared_ptr<Caller> caller,
                                 Event new_event,
                                 const HashKey& key)
    : OperationOf(std::move(caller)), event(std::move(new_event)) {
  encode_event(event, bytes);
  keys = keys_of(event, bytes, key);
}

Keys keys_of(const Event& event, std::string_view bytes, const HashKey& key) {
  Keys keys;
  keys.topics.reserve(event.topics.size());
  for (const std::string& topic : event.topics) {
    keys.topics.push_back(siphash(key, topic));
  }
  if (!event.id.empty()) {
    keys.id = siphash(key, event.id);
    keys.content = siphash(key, bytes);
  }
  return keys;
}

boost::system::result<std::unique_ptr<Writer>> Writer::start(
    const Location& location,
    EndMark mark,
    std::optional<std::uint64_t> guard_to_write,
    const SqliteOptions& options,
    const base::Clock& clock,
    Catalog& catalog,
    Counters& counters) {
  std::unique_ptr<Writer> writer(
      new Writer(location, std::move(mark), guard_to_write, options, clock, catalog, counters));
  if (auto opened = writer->open_file(); !opened) {
    return opened.error();
  }
  if (guard_to_write) {
    writer->report(fmt::format("{}: the disk is full; nothing can be published until it has room",
                               options.file));
  }
  const base::SignalsHeld held;
  writer->thread_ = std::thread([self = writer.get()] { self->run(); });
  return writer;
}

Writer::Writer(const Location& location,
               EndMark mark,
               std::optional<std::uint64_t> guard_to_write,
               const SqliteOptions& options,
               const base::Clock& clock,
               Catalog& catalog,
               Counters& counters)
    : location_(location),
      wal_name_(location.file + "-wal"),
      mark_(std::move(mark)),
      options_(options),
      clock_(clock),
      catalog_(catalog),
      counters_(counters),
      guard_to_write_(guard_to_write),
      retention_(options.retention) {}

Writer::~Writer() {
  close();
}

void Writer::append(std::unique_ptr<AppendOperation> operation) {
  const std::uint64_t bytes = record_bytes(operation->bytes.size());
  std::vector<OperationPtr> refused;
  bool first = false;
  {
    const std::lock_guard lock(mutex_);
    // What would be removed as soon as it is stored must not be acknowledged.
    const bool fits = retention_.bytes_max == 0 || bytes <= retention_.bytes_max;
    if (closing_ || !fits) {
      operation->result = closing_ ? Errc::kStopped : Errc::kFull;
      refused.push_back(std::move(operation));
    } else {
      first = queue_.empty();
      queue_.push_back(std::move(operation));
    }
  }
  complete_all(std::move(refused));
  if (first) {
    wake_.notify_one();
  }
}

void Writer::set_retention(const Retention& retention) {
  {
    const std::lock_guard lock(mutex_);
    retention_ = retention;
    looks_ = true;
  }
  wake_.notify_one();
}

void Writer::close() {
  {
    const std::lock_guard lock(mutex_);
    closing_ = true;
  }
  wake_.notify_one();
  if (thread_.joinable()) {
    thread_.join();
  }
}

void Writer::run() {
  std::unique_lock lock(mutex_);
  while (!closing_ || !queue_.empty()) {
    const base::Clock::Steady look_at = clock_.steady() + kIdle;  // before the time is looked at
    looks_ = false;
    Batch batch = std::exchange(queue_, {});
    lock.unlock();
    const Left left = turn(std::move(batch));
    lock.lock();
    const bool busy = !queue_.empty();
    lock.unlock();
    checkpoint(busy);
    lock.lock();
    while (left == Left::kNothing && queue_.empty() && !closing_ && !looks_ &&
           clock_.steady() < look_at) {
      clock_.wait_until(lock, wake_, look_at);
    }
  }
  lock.unlock();
  file_.reset();
}

// Commits a batch, which may be empty, and what else is due, and answers it.
Writer::Left Writer::turn(Batch batch) {
  if (file_ == nullptr || !in_place_) {
    recover({});
  }
  Left left = Left::kNothing;
  Result<void> stored = base::sqlite::Errc::kIo;
  if (file_ != nullptr && in_place_) {
    view_ = catalog_.view();
    next_ = view_.end + 1;
    next_extent_ = extent_;
    if (batch.empty() && !guard_to_write_ && !is_due()) {
      look_whether_in_place();
      return Left::kNothing;
    }
    stored = guard_to_write_ ? write_guard() : Result<void>();
    if (stored) {
      stored = commit(batch);
    }
    // Not before: what is removed while it commits would be missed. What is removed after this
    // cannot be told from what is removed after the acknowledgement.
    if (stored && !look_whether_in_place()) {
      stored = base::sqlite::Errc::kCannotOpen;
    }
  }
  std::vector<OperationPtr> done;
  if (stored) {
    counters_.commits.fetch_add(1, std::memory_order_relaxed);
    done = show();
    left = Left::kMore;
  } else {
    const Errc errc =
        stored.error() == base::sqlite::Errc::kFull ? Errc::kFull : Errc::kUnavailable;
    for (const auto& operation : batch) {
      operation->result = errc;
    }
  }
  staged_.clear();
  staged_contents_.clear();
  done.insert(done.end(), std::move_iterator(batch.begin()), std::move_iterator(batch.end()));
  complete_all(std::move(done));
  if (!stored && file_ != nullptr) {
    file_->keeper.rolled_back();
    if (stored.error() != base::sqlite::Errc::kFull && in_place_) {
      recover(stored.error());
    }
  }
  return left;
}

// Writes the guard that the start could not.
Writer::Result<void> Writer::write_guard() {
  const auto written =
      renew_guard(file_->connection, options_.file, *guard_to_write_, options_.at_epoch_step);
  if (written) {
    guard_to_write_.reset();
    report(fmt::format("{}: the disk has room again", options_.file));
  }
  return written;
}

Writer::Result<void> Writer::commit(const Batch& batch) {
  auto transaction = Transaction::begin(file_->connection, Transaction::Kind::kWrite);
  if (!transaction) {
    return transaction.error();
  }
  for (const auto& operation : batch) {
    if (auto stored = store(*operation); !stored) {
      return stored;
    }
  }
  if (auto kept = keep_limits(); !kept) {
    return kept;
  }
  if (auto kept = keep_index(); !kept) {
    return kept;
  }
  return transaction->commit();
}

// Shows what was committed to everyone. Returns those who waited for it.
std::vector<OperationPtr> Writer::show() {
  std::vector<OperationPtr> woken = catalog_.commit(staged_);
  if (!staged_.empty()) {
    ages_.note(next_ - 1, clock_.steady());
    mark_.write(catalog_.end());
  }
  if (next_extent_.begin.offset != extent_.begin.offset) {
    catalog_.removed(next_extent_.begin.offset);
  }
  extent_ = next_extent_;
  if (file_->keeper.committed() == IndexKeeper::Change::kIndex) {
    catalog_.indexed(file_->keeper.index());
  }
  return woken;
}

Writer::Result<void> Writer::store(AppendOperation& operation) {
  if (operation.keys.content) {
    const auto equal = find_equal(operation);
    if (!equal) {
      return equal.error();
    }
    if (*equal) {
      operation.result =
          Appended{.position = {.epoch = view_.epoch, .offset = **equal}, .is_new = false};
      return {};
    }
  }
  const Position position{.epoch = view_.epoch, .offset = next_};
  stored_last_ = std::max(stored_last_, nanoseconds(clock_.wall()));  // never decreases
  const base::Clock::Wall stored_at(std::chrono::duration_cast<base::Clock::Wall::duration>(
      std::chrono::nanoseconds(stored_last_)));
  file_->insert.bind_bits(1, position.offset).bind(2, stored_last_).bind_blob(3, operation.bytes);
  if (auto inserted = file_->insert.run(); !inserted) {
    return inserted;
  }
  ++next_;
  const std::uint64_t bytes = record_bytes(operation.bytes.size());
  next_extent_.end_bytes += bytes;
  operation.result = Appended{.position = position};
  if (operation.keys.content) {
    staged_contents_.emplace(*operation.keys.content, position.offset);
  }
  staged_.push_back(
      {.record = std::make_shared<const Record>(Record{
           .position = position, .stored_at = stored_at, .event = std::move(operation.event)}),
       .keys = std::move(operation.keys),
       .bytes = bytes});
  return {};
}

// Returns the offset of a kept record with the event's id and content.
Writer::Result<std::optional<std::uint64_t>> Writer::find_equal(const AppendOperation& operation) {
  const auto offsets = find_content(*operation.keys.content);
  if (!offsets) {
    return offsets.error();
  }
  for (const std::uint64_t offset : *offsets) {
    const auto equal = holds_equal(offset, operation);
    if (!equal) {
      return equal.error();
    }
    if (*equal == Equal::kYes) {
      return std::optional(offset);
    }
  }
  return std::optional<std::uint64_t>();
}

// Returns the offsets of the records whose content may be that of the hash. Equal ones are stored
// once, so there are others only where two contents share a hash.
Writer::Result<std::vector<std::uint64_t>> Writer::find_content(std::uint64_t content) {
  constexpr std::size_t kAll = std::numeric_limits<std::size_t>::max();
  std::vector<std::uint64_t> offsets;
  const auto [first, last] = staged_contents_.equal_range(content);
  for (auto at = first; at != last; ++at) {
    offsets.push_back(at->second);
  }
  for (const auto& chunk : view_.chunks) {
    catalog_.find(view_, *chunk, Key::kContent, content, view_.begin, kAll, offsets);
  }
  for (const IndexRunPtr& run : *view_.index.runs) {
    const auto found = run->find(file_->blocks, Key::kContent, content, view_.begin, kAll, offsets);
    if (!found) {
      return found.error();
    }
    if (*found == IndexList::Found::kNoBlock) {
      return base::sqlite::Errc::kDamaged;
    }
  }
  return offsets;
}

Writer::Result<Writer::Equal> Writer::holds_equal(std::uint64_t offset,
                                                  const AppendOperation& operation) {
  Statement& select = file_->select_event;
  const base::sqlite::Reset reset(select);
  const auto row = select.bind_bits(1, offset).step();
  if (!row) {
    return row.error();
  }
  // An event is written in one way only.
  const bool equal = *row && select.bytes(0) == operation.bytes;
  return equal ? Equal::kYes : Equal::kNo;
}

void Writer::checkpoint(bool forced) {
  if (file_ == nullptr) {
    return;
  }
  const std::int64_t bytes = file_->connection.wal_frames() * kFrameBytes;
  if (bytes < (forced ? options_.wal_bytes_max : options_.wal_bytes_soft)) {
    return;
  }
  // PASSIVE stops at what a reader still needs; RESTART waits for readers to end, which they soon
  // do.
  const auto done =
      file_->connection.execute(bytes >= options_.wal_bytes_max ? "PRAGMA wal_checkpoint(RESTART)"
                                                                : "PRAGMA wal_checkpoint(PASSIVE)");
  counters_.checkpoints.fetch_add(1, std::memory_order_relaxed);
  if (!done && done.error() != base::sqlite::Errc::kFull &&
      done.error() != base::sqlite::Errc::kBusy) {
    recover(done.error());
  }
}

}  // namespace vrelo::log::sqlite
