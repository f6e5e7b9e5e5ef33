// SPDX-License-Identifier: Apache-2.0
//
// How the writer opens its file, and how it keeps what is in it within the limits.
#include "hub/log/sqlite/writer_file.h"

#include <algorithm>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "hub/log/sqlite/record_codec.h"

namespace vrelo::log::sqlite {
namespace {

using base::sqlite::Connection;

// How much is removed and indexed in one transaction: little enough for a publisher to wait for.
// With a large batch it is twice as much as the batch adds, so that publishers who leave no pause
// are kept up with, and what is left of before gets less.
constexpr std::size_t kRemovedAtOnce = 500;
constexpr std::uint64_t kRemovedBytesAtOnce = std::uint64_t{4} << 20;
constexpr std::size_t kIndexedAtOnce = 16'384;

// How long after it could not open the file the thread tries again.
constexpr std::chrono::milliseconds kRetryAfter{100};

}  // namespace

Writer::Result<std::unique_ptr<Writer::File>> Writer::File::open(Connection connection,
                                                                 const State& state,
                                                                 std::uint64_t removed_topics_max) {
  auto insert = connection.prepare("INSERT INTO records VALUES(?, ?, ?)");
  if (!insert) {
    return insert.error();
  }
  auto select_event = connection.prepare("SELECT event FROM records WHERE offset=?");
  if (!select_event) {
    return select_event.error();
  }
  auto blocks = BlockSource::open(connection);
  if (!blocks) {
    return blocks.error();
  }
  auto remover = Remover::open(connection);
  if (!remover) {
    return remover.error();
  }
  auto keeper = IndexKeeper::open(connection, state, removed_topics_max);
  if (!keeper) {
    return keeper.error();
  }
  return std::make_unique<File>(File{std::move(connection), std::move(*insert),
                                     std::move(*select_event), std::move(*blocks),
                                     std::move(*remover), std::move(*keeper)});
}

// Opens the file and reads from it where the log stands.
Writer::Result<void> Writer::open_file() {
  auto connection = open_writer(location_);
  if (!connection) {
    return connection.error();
  }
  auto state = read_state(*connection);
  if (!state) {
    return state.error();
  }
  const auto end = read_end(*connection);
  if (!end) {
    return end.error();
  }
  const Position before = catalog_.end();
  if (before.epoch == state->epoch && before.offset > *end) {
    // The disk has lost what was acknowledged: its offsets must not be given out again.
    const auto epoch = begin_epoch(*connection);
    if (!epoch) {
      return epoch.error();
    }
    state->epoch = *epoch;
  }
  auto file = File::open(std::move(*connection), *state, options_.removed_topics_max);
  if (!file) {
    return file.error();
  }
  file_ = std::move(*file);
  wal_identity_ = identify(wal_name_);
  const auto read =
      wal_identity_ ? read_tail(*state, *end) : Result<void>(base::sqlite::Errc::kCannotOpen);
  if (!read) {
    file_.reset();
    return read;
  }
  if (before.epoch != state->epoch) {
    ages_.begin(*end, clock_.wall(), clock_.steady());
  } else if (before.offset < *end) {
    ages_.note(*end, clock_.steady());
  }
  mark_.write(catalog_.end());
  return {};
}

// Closes the file after `error` and opens it again.
void Writer::recover(boost::system::error_code error) {
  if (!look_whether_in_place()) {
    return;
  }
  const base::Clock::Steady now = clock_.steady();
  if (file_ != nullptr) {
    file_.reset();
    if (error) {
      report(fmt::format("{}: {}; opening it again", options_.file, error.message()));
    }
  } else if (now < tried_at_ + kRetryAfter) {
    return;
  }
  tried_at_ = now;
  if (open_file()) {
    counters_.reopened.fetch_add(1, std::memory_order_relaxed);
    report(fmt::format("{}: open again", options_.file));
    complete_all(catalog_.take_waiters());  // the log may have moved from under them
  }
}

// Returns whether FILE and FILE-wal still lead to what is open. Order: outside a transaction.
// Cost: two system calls.
bool Writer::look_whether_in_place() {
  const bool file_is = identify(location_.file) == location_.identity;
  // With the connection SQLite may have removed the write-ahead log.
  const bool wal_is = file_ == nullptr || identify(wal_name_) == wal_identity_;
  const bool was = std::exchange(in_place_, file_is && wal_is);
  if (was && !in_place_) {
    if (file_ != nullptr) {
      // So that the database is whole wherever it is now, and one that is put in its place finds no
      // write-ahead log that is not its own. Where it fails, that is left as by a kill.
      static_cast<void>(file_->connection.execute("PRAGMA wal_checkpoint(TRUNCATE)"));
    }
    report(
        fmt::format("{}: removed, moved or replaced while it was open; nothing can be published"
                    " until it is put back or the hub is started again",
                    file_is ? wal_name_ : options_.file));
  }
  return in_place_;
}

void Writer::report(const std::string& line) const {
  if (options_.report) {
    options_.report(line);
  }
}

// Makes the chunks of what has no index in the file, and shows the log.
Writer::Result<void> Writer::read_tail(const State& state, std::uint64_t end) {
  const auto erased_to = file_->remover.erased_to(file_->connection, end);
  if (!erased_to) {
    return erased_to.error();
  }
  const auto newest =
      file_->connection.integer("SELECT stored_at FROM records ORDER BY offset DESC LIMIT 1");
  if (!newest) {
    return newest.error();
  }
  auto select = file_->connection.prepare(
      "SELECT offset, stored_at, event FROM records WHERE offset > ? ORDER BY offset");
  if (!select) {
    return select.error();
  }
  const base::sqlite::Reset reset(*select);
  select->bind_bits(1, state.indexed_to);
  std::vector<std::shared_ptr<Chunk>> chunks = {std::make_shared<Chunk>(state.indexed_to)};
  std::uint64_t bytes = state.indexed_bytes;
  stored_last_ = std::max(stored_last_, *newest);
  for (std::uint64_t offset = state.indexed_to + 1; offset <= end; ++offset) {
    const auto row = select->step();
    if (!row) {
      return row.error();
    }
    const auto event = *row ? decode_event(select->bytes(2)) : std::nullopt;
    if (!event || select->bits(0) != offset) {
      return base::sqlite::Errc::kDamaged;
    }
    if (chunks.back()->is_full(options_.chunk_limits)) {
      chunks.push_back(std::make_shared<Chunk>(offset - 1));
    }
    const std::uint64_t counted = record_bytes(select->bytes(2).size());
    chunks.back()->add(keys_of(*event, select->bytes(2), state.hash_key), counted);
    bytes += counted;
  }
  if (bytes < state.begin_bytes) {
    return base::sqlite::Errc::kDamaged;
  }
  extent_ = {.begin = {.offset = state.begin, .bytes = state.begin_bytes},
             .erased_to = *erased_to,
             .end_bytes = bytes};
  catalog_.reset({.epoch = state.epoch, .offset = state.begin}, end, file_->keeper.index(),
                 std::move(chunks));
  return {};
}

// What is over the limits, with what the transaction has added.
Excess Writer::excess() {
  Retention limits;
  {
    const std::lock_guard lock(mutex_);
    limits = retention_;
  }
  const auto over = [](std::uint64_t value, std::uint64_t max) {
    return max != 0 && value > max ? value - max : 0;
  };
  Excess excess{.bytes = over(next_extent_.end_bytes - next_extent_.begin.bytes, limits.bytes_max),
                .records = over(next_ - 1 - view_.begin, limits.records_max)};
  if (limits.age_max.count() != 0) {
    excess.old = ages_.older_than(limits.age_max, clock_.steady());
  }
  return excess;
}

// Returns whether there is something to do besides storing events.
bool Writer::is_due() {
  const Excess over = excess();
  const bool over_limits =
      over.bytes != 0 || over.records != 0 || next_extent_.begin.is_too_old(over.old);
  const std::uint64_t erasable = std::min(view_.begin, view_.index.indexed_to);
  return (over_limits && view_.begin < view_.end) || next_extent_.erased_to < erasable ||
         file_->keeper.is_due(view_.begin, catalog_.full_chunk().get());
}

// Removes some of what is over the limits, but nothing that this transaction added.
Writer::Result<void> Writer::keep_limits() {
  const RemovalLimits limits{
      .records_max = std::max(kRemovedAtOnce, 2 * staged_.size()),
      .bytes_max = std::max(kRemovedBytesAtOnce, 2 * (next_extent_.end_bytes - extent_.end_bytes))};
  const auto begin = file_->remover.advance(next_extent_.begin, view_.end, excess(), limits);
  if (!begin) {
    return begin.error();
  }
  next_extent_.begin = *begin;
  const auto erased = file_->remover.erase(next_extent_.erased_to,
                                           std::min(begin->offset, view_.index.indexed_to), limits);
  if (!erased) {
    return erased.error();
  }
  next_extent_.erased_to = *erased;
  return {};
}

// Writes some of the index.
Writer::Result<void> Writer::keep_index() {
  std::size_t entries = 0;  // that the transaction adds
  for (const Committed& committed : staged_) {
    entries += committed.keys.topics.size() + (committed.keys.id ? 2 : 0);
  }
  return file_->keeper.work(file_->connection, view_.begin, catalog_.full_chunk(),
                            std::max(kIndexedAtOnce, 2 * entries));
}

}  // namespace vrelo::log::sqlite
