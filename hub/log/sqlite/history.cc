// SPDX-License-Identifier: Apache-2.0
#include "hub/log/sqlite/history.h"

#include <algorithm>
#include <cassert>
#include <chrono>
#include <limits>
#include <utility>

#include "hub/log/sqlite/record_codec.h"

namespace vrelo::log::sqlite {
namespace {

using base::sqlite::Result;
using base::sqlite::Statement;
using base::sqlite::Transaction;

// Resets a statement when the scope ends, however it ends: one that is not reset would keep the
// transaction open.
class Reset {
 public:
  explicit Reset(Statement& statement) : statement_(statement) {}
  Reset(const Reset&) = delete;
  Reset& operator=(const Reset&) = delete;
  ~Reset() { statement_.reset(); }

 private:
  Statement& statement_;
};

std::int64_t bits(std::uint64_t value) {
  return static_cast<std::int64_t>(value);
}

// Makes the record of a row of (offset, stored_at, event).
Result<RecordPtr> record_of(const Statement& row, std::uint64_t epoch) {
  auto event = decode_event(row.bytes(2));
  if (!event) {
    return base::sqlite::Errc::kDamaged;
  }
  const std::chrono::nanoseconds since_1970(row.integer(1));
  return std::make_shared<const Record>(Record{
      .position = {.epoch = epoch, .offset = static_cast<std::uint64_t>(row.integer(0))},
      .stored_at =
          base::Clock::Wall(std::chrono::duration_cast<base::Clock::Wall::duration>(since_1970)),
      .event = std::move(*event)});
}

// Returns the record at `offset`; nullptr if it is not kept.
Result<RecordPtr> record_at(ReadFile& file, std::uint64_t offset, std::uint64_t epoch) {
  Statement& select = file.select_one;
  const Reset reset(select);
  select.bind(1, bits(offset));
  const auto row = select.step();
  if (!row) {
    return row.error();
  }
  return *row ? record_of(select, epoch) : Result<RecordPtr>(nullptr);
}

}  // namespace

ReadPage::ReadPage(std::unique_ptr<ReadOperation> operation,
                   const Sources& sources,
                   Position after,
                   const Selection& selection,
                   ReadLimits limits)
    : operation_(std::move(operation)),
      sources_(sources),
      after_(after),
      selection_(selection),
      limits_({.records_max = limits.records_max,
               .data_bytes_max = std::min(limits.data_bytes_max, sources.page_bytes_max)}),
      cursor_(after.offset) {
  for (const std::string& topic : selection_.topics) {
    topics_.push_back(siphash(sources_.hash_key, topic));
  }
}

base::sqlite::Result<ReadWork::Step> ReadPage::step(ReadFile& file) {
  // The view first: what it says is committed is in the snapshot that the transaction then sees.
  const View view = sources_.catalog.view();
  if (after_.epoch != view.epoch || after_.offset > view.end) {
    return answer(Errc::kPositionGone);
  }
  // The statements of this step share one snapshot.
  auto transaction = Transaction::begin(file.connection, Transaction::Kind::kRead);
  if (!transaction) {
    return transaction.error();
  }
  if (cursor_ < view.begin) {
    const auto gone = is_gone(file, view);
    if (!gone) {
      return gone.error();
    }
    if (*gone == Gone::kYes) {
      return answer(Errc::kPositionGone);
    }
    cursor_ = view.begin;
  }
  return selection_.all ? read_all(file, view) : read_topics(file, view);
}

ReadWork::Step ReadPage::answer(boost::system::result<Page> result) {
  operation_->result = std::move(result);
  return Step::kDone;
}

// Returns whether retention has removed a record after the cursor that the selection may want.
base::sqlite::Result<ReadPage::Gone> ReadPage::is_gone(ReadFile& file, const View& view) {
  if (selection_.all || cursor_ < view.forgotten_to) {
    return Gone::kYes;
  }
  std::vector<std::uint64_t> offsets;
  for (const std::uint64_t topic : topics_) {
    Statement& select = file.select_removed;
    const Reset reset(select);
    select.bind(1, bits(topic));
    const auto row = select.step();
    if (!row) {
      return row.error();
    }
    if (*row && static_cast<std::uint64_t>(select.integer(0)) > cursor_) {
      return Gone::kYes;
    }
    // What was removed not long ago is still in the index.
    for (const auto& chunk : view.chunks) {
      offsets.clear();
      sources_.catalog.find(view, *chunk, Chunk::Key::kTopic, topic, cursor_, 1, offsets);
      if (!offsets.empty() && offsets.front() <= view.begin) {
        return Gone::kYes;
      }
    }
  }
  return Gone::kNo;
}

base::sqlite::Result<ReadWork::Step> ReadPage::read_all(ReadFile& file, const View& view) {
  Statement& select = file.select_from;
  const Reset reset(select);
  select.bind(1, bits(cursor_));
  while (cursor_ < view.end) {
    const auto row = select.step();
    if (!row) {
      return row.error();
    }
    const auto offset = *row ? static_cast<std::uint64_t>(select.integer(0)) : 0;
    if (offset != cursor_ + 1) {
      // Retention was here after the view was taken.
      return page_.records.empty() ? Step::kAgain : answer(std::move(page_));
    }
    sources_.counters.rows_visited.fetch_add(1, std::memory_order_relaxed);
    auto record = record_of(select, view.epoch);
    if (!record) {
      return record.error();
    }
    if (is_full(*record)) {
      return answer(std::move(page_));
    }
    take(std::move(*record));
  }
  page_.next = {.epoch = view.epoch, .offset = std::max(cursor_, after_.offset)};
  return answer(std::move(page_));
}

base::sqlite::Result<ReadWork::Step> ReadPage::read_topics(ReadFile& file, const View& view) {
  std::vector<std::uint64_t> offsets;
  for (const auto& chunk : view.chunks) {
    const std::uint64_t chunk_end = chunk == view.chunks.back() ? view.end : chunk->last();
    while (cursor_ < chunk_end) {
      offsets.clear();
      const std::uint64_t covered = std::min(collect(view, *chunk, offsets), chunk_end);
      for (const std::uint64_t offset : offsets) {
        auto record = record_at(file, offset, view.epoch);
        if (!record) {
          return record.error();
        }
        if (*record == nullptr) {
          // Retention was here after the view was taken.
          return page_.records.empty() ? Step::kAgain : answer(std::move(page_));
        }
        sources_.counters.rows_visited.fetch_add(1, std::memory_order_relaxed);
        if (!wants((*record)->event)) {
          continue;  // another topic with the same hash
        }
        if (is_full(*record)) {
          return answer(std::move(page_));
        }
        take(std::move(*record));
      }
      cursor_ = covered;
    }
  }
  page_.next = {.epoch = view.epoch, .offset = std::max(view.end, after_.offset)};
  return answer(std::move(page_));
}

// Puts into `offsets` those after the cursor that the index gives for the selection, in order.
// Returns up to where they are all there are.
std::uint64_t ReadPage::collect(const View& view,
                                const Chunk& chunk,
                                std::vector<std::uint64_t>& offsets) {
  // One more than fits, so that a page that is full knows it.
  const std::size_t max =
      limits_.records_max - std::min(limits_.records_max, page_.records.size()) + 1;
  std::uint64_t covered = std::numeric_limits<std::uint64_t>::max();
  for (const std::uint64_t topic : topics_) {
    if (sources_.catalog.find(view, chunk, Chunk::Key::kTopic, topic, cursor_, max, offsets)) {
      covered = std::min(covered, offsets.back());
    }
  }
  if (topics_.size() > 1) {
    std::sort(offsets.begin(), offsets.end());
    offsets.erase(std::unique(offsets.begin(), offsets.end()), offsets.end());
    offsets.erase(std::upper_bound(offsets.begin(), offsets.end(), covered), offsets.end());
  }
  return covered;
}

// Returns whether the page has no room for one more. It takes one, however large.
bool ReadPage::is_full(const RecordPtr& next) const {
  return !page_.records.empty() && (page_.records.size() >= limits_.records_max ||
                                    bytes_ + next->event.data.size() > limits_.data_bytes_max);
}

void ReadPage::take(RecordPtr record) {
  bytes_ += record->event.data.size();
  cursor_ = record->position.offset;
  page_.next = record->position;
  page_.records.push_back(std::move(record));
}

bool ReadPage::wants(const Event& event) const {
  return std::any_of(event.topics.begin(), event.topics.end(), [this](const std::string& topic) {
    return std::find(selection_.topics.begin(), selection_.topics.end(), topic) !=
           selection_.topics.end();
  });
}

FindId::FindId(std::unique_ptr<FindOperation> operation, const Sources& sources, std::string id)
    : operation_(std::move(operation)), sources_(sources), id_(std::move(id)) {}

base::sqlite::Result<ReadWork::Step> FindId::step(ReadFile& file) {
  const View view = sources_.catalog.view();
  const std::uint64_t hash = siphash(sources_.hash_key, id_);
  std::vector<std::uint64_t> offsets;
  for (const auto& chunk : view.chunks) {
    sources_.catalog.find(view, *chunk, Chunk::Key::kId, hash, view.begin,
                          std::numeric_limits<std::size_t>::max(), offsets);
  }
  for (const std::uint64_t offset : offsets) {
    auto record = record_at(file, offset, view.epoch);
    if (!record) {
      return record.error();
    }
    sources_.counters.rows_visited.fetch_add(1, std::memory_order_relaxed);
    if (*record != nullptr && (*record)->event.id == id_) {
      operation_->result = std::optional((*record)->position);
      return Step::kDone;
    }
  }
  operation_->result = std::optional<Position>();
  return Step::kDone;
}

}  // namespace vrelo::log::sqlite
