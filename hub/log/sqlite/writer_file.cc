// SPDX-License-Identifier: Apache-2.0
//
// How the writer opens its file, and what it removes from it.
#include "hub/log/sqlite/writer_file.h"

#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "hub/log/sqlite/record_codec.h"

namespace vrelo::log::sqlite {
namespace {

using base::sqlite::Connection;
using base::sqlite::Transaction;

// How many records go in a transaction of their own: little enough for a publisher to wait for.
constexpr std::size_t kRemovedAtOnce = 500;

}  // namespace

Writer::Result<std::unique_ptr<Writer::File>> Writer::File::open(const Location& location,
                                                                 std::uint64_t removed_topics_max) {
  auto connection = open_writer(location);
  if (!connection) {
    return connection.error();
  }
  auto insert = connection->prepare("INSERT INTO records VALUES(?, ?, ?)");
  if (!insert) {
    return insert.error();
  }
  auto select_event = connection->prepare("SELECT event FROM records WHERE offset=?");
  if (!select_event) {
    return select_event.error();
  }
  const auto state = read_state(*connection);
  if (!state) {
    return state.error();
  }
  auto remover = Remover::open(*connection, *state, removed_topics_max);
  if (!remover) {
    return remover.error();
  }
  return std::make_unique<File>(File{std::move(*connection), std::move(*insert),
                                     std::move(*select_event), std::move(*remover)});
}

// Opens the file and reads from it where the log stands.
Writer::Result<void> Writer::open_file() {
  auto file = File::open({.file = options_.file, .vfs = options_.vfs}, options_.removed_topics_max);
  if (!file) {
    return file.error();
  }
  const auto state = read_state((*file)->connection);
  if (!state) {
    return state.error();
  }
  const auto end = read_end((*file)->connection);
  if (!end) {
    return end.error();
  }
  const auto oldest = (*file)->remover.oldest(state->begin);
  if (!oldest) {
    return oldest.error();
  }
  file_ = std::move(*file);
  if (auto read = read_index(*state, *end); !read) {
    file_.reset();
    return read;
  }
  epoch_ = state->epoch;
  oldest_ = *oldest;
  return {};
}

// Makes the index in memory, and counts what is kept.
Writer::Result<void> Writer::read_index(const State& state, std::uint64_t end) {
  auto select =
      file_->connection.prepare("SELECT offset, stored_at, event FROM records WHERE offset > ?");
  if (!select) {
    return select.error();
  }
  select->bind(1, static_cast<std::int64_t>(state.begin));
  std::vector<std::shared_ptr<Chunk>> chunks = {std::make_shared<Chunk>(state.begin)};
  std::vector<std::uint64_t> topics;
  kept_bytes_ = 0;
  for (std::uint64_t offset = state.begin + 1; offset <= end; ++offset) {
    const auto row = select->step();
    if (!row) {
      return row.error();
    }
    const auto event = *row ? decode_event(select->bytes(2)) : std::nullopt;
    if (!event || select->integer(0) != static_cast<std::int64_t>(offset)) {
      return base::sqlite::Errc::kDamaged;
    }
    topics.clear();
    for (const std::string& topic : event->topics) {
      topics.push_back(siphash(state.hash_key, topic));
    }
    if (chunks.back()->records() >= options_.run_records) {
      chunks.push_back(std::make_shared<Chunk>(offset - 1));
    }
    chunks.back()->add(topics, event->id.empty()
                                   ? std::nullopt
                                   : std::optional(siphash(state.hash_key, event->id)));
    kept_bytes_ += record_bytes(select->bytes(2));
    stored_last_ = select->integer(1);
  }
  select->reset();
  catalog_.reset({.epoch = state.epoch, .offset = state.begin}, end, state.forgotten_to,
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
  Excess excess{.bytes = over(kept_bytes_ + staged_bytes_, limits.bytes_max),
                .records = over(next_ - 1 - view_.begin, limits.records_max)};
  if (limits.age_max.count() != 0) {
    excess.stored_before = nanoseconds(clock_.wall() - limits.age_max);
  }
  return excess;
}

// Removes at most `records_max` of what is over the limits, but nothing that this transaction
// added.
Writer::Result<void> Writer::remove_excess(std::size_t records_max) {
  removed_ = {.begin = view_.begin, .forgotten_to = view_.forgotten_to};
  const Excess over = excess();
  if (over.bytes == 0 && over.records == 0 && oldest_ >= over.stored_before) {
    return {};
  }
  const auto removed =
      file_->remover.remove(file_->connection, view_.begin, view_.end, over, records_max);
  if (!removed) {
    return removed.error();
  }
  removed_ = *removed;
  return {};
}

// Shows what the transaction removed, now that it is committed.
void Writer::show_removed() {
  file_->remover.committed();
  kept_bytes_ -= removed_.bytes;
  if (removed_.begin != view_.begin) {
    catalog_.removed(removed_.begin, removed_.forgotten_to);
  }
  if (removed_.begin != view_.begin || view_.begin == view_.end) {
    // What cannot be read is found by whoever needs it; until then nothing is too old.
    const auto oldest = file_->remover.oldest(removed_.begin);
    oldest_ = oldest ? *oldest : std::numeric_limits<std::int64_t>::max();
  }
}

// Removes a slice of what is over the limits. Returns whether there is more.
bool Writer::remove_in_between() {
  if (file_ == nullptr) {
    return false;
  }
  view_ = catalog_.view();
  next_ = view_.end + 1;
  const Excess over = excess();
  if (view_.begin == view_.end ||
      (over.bytes == 0 && over.records == 0 && oldest_ >= over.stored_before)) {
    return false;
  }
  Result<void> done;
  {
    auto transaction = Transaction::begin(file_->connection, Transaction::Kind::kWrite);
    done = transaction ? remove_excess(kRemovedAtOnce) : transaction.error();
    if (done) {
      done = transaction->commit();
    }
  }
  if (!done) {
    file_->remover.rolled_back();
    if (done.error() != base::sqlite::Errc::kFull) {
      recover(done.error());
    }
    return false;
  }
  show_removed();
  return removed_.begin != view_.begin;
}

}  // namespace vrelo::log::sqlite
