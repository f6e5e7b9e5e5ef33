// SPDX-License-Identifier: Apache-2.0
#include "hub/log/sqlite/writer.h"

#include <algorithm>
#include <cassert>
#include <limits>
#include <utility>

#include <fmt/format.h>

#include "hub/log/sqlite/record_codec.h"
#include "hub/log/sqlite/writer_file.h"

namespace vrelo::log::sqlite {
namespace {

using base::sqlite::Connection;
using base::sqlite::Statement;
using base::sqlite::Transaction;

// How often the thread looks around when nobody wakes it.
constexpr std::chrono::seconds kIdle{1};

// How long after it could not open the file the thread tries again.
constexpr std::chrono::milliseconds kRetryAfter{100};

// Bytes of a frame in the write-ahead log: a page and its header.
constexpr std::int64_t kFrameBytes = 4096 + 24;

}  // namespace

AppendOperation::AppendOperation(std::shared_ptr<Caller> caller,
                                 Event new_event,
                                 const HashKey& key)
    : OperationOf(std::move(caller)), event(std::move(new_event)) {
  encode_event(event, bytes);
  topics.reserve(event.topics.size());
  for (const std::string& topic : event.topics) {
    topics.push_back(siphash(key, topic));
  }
  if (!event.id.empty()) {
    id = siphash(key, event.id);
  }
}

boost::system::result<std::unique_ptr<Writer>> Writer::start(const SqliteOptions& options,
                                                             const base::Clock& clock,
                                                             Catalog& catalog,
                                                             Counters& counters) {
  std::unique_ptr<Writer> writer(new Writer(options, clock, catalog, counters));
  if (auto opened = writer->open_file(); !opened) {
    return opened.error();
  }
  writer->thread_ = std::thread([self = writer.get()] { self->run(); });
  return writer;
}

Writer::Writer(const SqliteOptions& options,
               const base::Clock& clock,
               Catalog& catalog,
               Counters& counters)
    : options_(options),
      clock_(clock),
      catalog_(catalog),
      counters_(counters),
      retention_(options.retention) {}

Writer::~Writer() {
  close();
}

void Writer::append(std::unique_ptr<AppendOperation> operation) {
  bool first = false;
  Errc refusal = Errc::kStopped;
  {
    const std::lock_guard lock(mutex_);
    // What would be removed as soon as it is stored must not be acknowledged.
    const bool fits =
        retention_.bytes_max == 0 || record_bytes(operation->bytes) <= retention_.bytes_max;
    if (!closing_ && !fits) {
      refusal = Errc::kFull;
    } else if (!closing_) {
      first = queue_.empty();
      queue_.push_back(std::move(operation));
    }
  }
  if (operation != nullptr) {
    operation->result = refusal;
    std::vector<OperationPtr> refused;
    refused.push_back(std::move(operation));
    complete_all(std::move(refused));
  } else if (first) {
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
  bool more = false;  // is to be removed
  while (true) {
    if (!more) {
      wake_.wait_for(lock, kIdle, [this] { return !queue_.empty() || closing_ || looks_; });
    }
    looks_ = false;
    if (queue_.empty() && closing_) {
      break;
    }
    Batch batch = std::exchange(queue_, {});
    lock.unlock();
    if (!batch.empty()) {
      write(std::move(batch));
    }
    more = remove_in_between();
    lock.lock();
    const bool idle = queue_.empty();
    lock.unlock();
    checkpoint(!idle);
    lock.lock();
  }
  lock.unlock();
  file_.reset();
}

// Commits a batch and answers it.
void Writer::write(Batch batch) {
  if (file_ == nullptr) {
    recover({});
  }
  Result<void> stored = base::sqlite::Errc::kIo;
  if (file_ != nullptr) {
    stored = store(batch);
  }
  std::vector<OperationPtr> done;
  if (stored) {
    counters_.commits.fetch_add(1, std::memory_order_relaxed);
    done = catalog_.commit(staged_);
    kept_bytes_ += staged_bytes_;
    show_removed();
  } else {
    if (file_ != nullptr) {
      file_->remover.rolled_back();
    }
    const Errc errc =
        stored.error() == base::sqlite::Errc::kFull ? Errc::kFull : Errc::kUnavailable;
    for (const auto& operation : batch) {
      operation->result = errc;
    }
  }
  staged_.clear();
  staged_bytes_ = 0;
  staged_ids_.clear();
  done.insert(done.end(), std::move_iterator(batch.begin()), std::move_iterator(batch.end()));
  complete_all(std::move(done));
  if (!stored && file_ != nullptr && stored.error() != base::sqlite::Errc::kFull) {
    recover(stored.error());
  }
}

Writer::Result<void> Writer::store(const Batch& batch) {
  view_ = catalog_.view();
  next_ = view_.end + 1;
  auto transaction = Transaction::begin(file_->connection, Transaction::Kind::kWrite);
  if (!transaction) {
    return transaction.error();
  }
  for (const auto& operation : batch) {
    if (auto stored = store(*operation); !stored) {
      return stored;
    }
  }
  // Where the log is full, each event removes what it needs, with the same sync; and as much again,
  // so that a lowered limit is reached also while publishers leave no pause.
  if (auto removed = remove_excess(2 * batch.size()); !removed) {
    return removed;
  }
  return transaction->commit();
}

Writer::Result<void> Writer::store(AppendOperation& operation) {
  if (operation.id) {
    const auto equal = find_equal(operation);
    if (!equal) {
      return equal.error();
    }
    if (*equal) {
      operation.result =
          Appended{.position = {.epoch = epoch_, .offset = **equal}, .is_new = false};
      return {};
    }
  }
  const Position position{.epoch = epoch_, .offset = next_};
  stored_last_ = std::max(stored_last_, nanoseconds(clock_.wall()));  // never decreases
  const base::Clock::Wall stored_at(std::chrono::duration_cast<base::Clock::Wall::duration>(
      std::chrono::nanoseconds(stored_last_)));
  file_->insert.bind(1, static_cast<std::int64_t>(position.offset))
      .bind(2, stored_last_)
      .bind_blob(3, operation.bytes);
  if (auto inserted = file_->insert.run(); !inserted) {
    return inserted;
  }
  ++next_;
  staged_bytes_ += record_bytes(operation.bytes);
  operation.result = Appended{.position = position};
  if (operation.id) {
    staged_ids_.emplace(*operation.id, position.offset);
  }
  staged_.push_back(
      {.record = std::make_shared<const Record>(Record{
           .position = position, .stored_at = stored_at, .event = std::move(operation.event)}),
       .topics = std::move(operation.topics),
       .id = operation.id});
  return {};
}

// Returns the offset of a kept record with the event's id and content.
Writer::Result<std::optional<std::uint64_t>> Writer::find_equal(const AppendOperation& operation) {
  std::vector<std::uint64_t> offsets;
  for (const auto& chunk : view_.chunks) {
    catalog_.find(view_, *chunk, Chunk::Key::kId, *operation.id, view_.begin,
                  std::numeric_limits<std::size_t>::max(), offsets);
  }
  const auto [first, last] = staged_ids_.equal_range(*operation.id);
  for (auto at = first; at != last; ++at) {
    offsets.push_back(at->second);
  }
  for (const std::uint64_t offset : offsets) {
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

Writer::Result<Writer::Equal> Writer::holds_equal(std::uint64_t offset,
                                                  const AppendOperation& operation) {
  Statement& select = file_->select_event;
  select.bind(1, static_cast<std::int64_t>(offset));
  const auto row = select.step();
  if (!row) {
    select.reset();
    return row.error();
  }
  // An event is written in one way only.
  const bool equal = *row && select.bytes(0) == operation.bytes;
  select.reset();
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

// Closes the file after `error` and opens it again.
void Writer::recover(boost::system::error_code error) {
  const auto now = std::chrono::steady_clock::now();
  if (file_ != nullptr) {
    file_.reset();
    if (options_.report) {
      options_.report(fmt::format("{}: {}; opening it again", options_.file, error.message()));
    }
  } else if (now < tried_at_ + kRetryAfter) {
    return;
  }
  tried_at_ = now;
  if (open_file()) {
    counters_.reopened.fetch_add(1, std::memory_order_relaxed);
  }
}

}  // namespace vrelo::log::sqlite
