// SPDX-License-Identifier: Apache-2.0
#include "hub/log/sqlite/history.h"

#include <algorithm>
#include <utility>

namespace vrelo::log::sqlite {
namespace {

// How many records a page may leave out, and a step: about a millisecond.
constexpr std::size_t kPassOverMax = 8192;
constexpr std::size_t kPassOverAtOnce = 512;

}  // namespace

using base::sqlite::Reset;
using base::sqlite::Result;
using base::sqlite::Statement;
using base::sqlite::Transaction;

ReadPage::ReadPage(std::unique_ptr<ReadOperation> operation,
                   const Sources& sources,
                   Position after,
                   const Selection& selection,
                   ReadLimits limits)
    : operation_(std::move(operation)),
      sources_(sources),
      after_(after),
      selection_(selection),
      limits_({.records_max = std::max<std::size_t>(limits.records_max, 1),
               .bytes_max = std::min(limits.bytes_max, sources.page_bytes_max)}),
      filter_(selection_),
      cursor_(after.offset) {
  for (const std::string& topic : selection_.topics) {
    topics_.push_back(siphash(sources_.hash_key, topic));
  }
}

Result<ReadWork::Step> ReadPage::step(ReadFile& file) {
  // The view first: what it says is committed is in the snapshot that the transaction then sees.
  const View view = sources_.catalog.view();
  if (after_.epoch != view.epoch || after_.offset > view.end) {
    return answer(Errc::kPositionGone);
  }
  page_.next = {.epoch = view.epoch, .offset = cursor_};
  // The statements of this step share one snapshot.
  auto transaction = Transaction::begin(file.connection, Transaction::Kind::kRead);
  if (!transaction) {
    return transaction.error();
  }
  return proceed(file, view);
}

Result<ReadWork::Step> ReadPage::proceed(ReadFile& file, const View& view) {
  looked_at_ = 0;
  passed_over_bytes_ = 0;
  if (cursor_ < view.begin) {
    if (!page_.records.empty()) {
      return answer(std::move(page_));  // retention overtook it between two steps
    }
    const auto gone = is_gone(file, view);
    if (!gone) {
      return gone.error();
    }
    if (*gone == Gone::kYes) {
      return answer(Errc::kPositionGone);
    }
    if (*gone == Gone::kAgain) {
      return Step::kAgain;
    }
    cursor_ = view.begin;
  }
  const auto part = has_index() ? read_topics(file, view) : read_in_order(file, view);
  if (!part) {
    return part.error();
  }
  if (*part == Part::kAgain) {
    return Step::kAgain;
  }
  page_.next = {.epoch = view.epoch, .offset = std::max(cursor_, after_.offset)};
  return answer(std::move(page_));
}

ReadWork::Step ReadPage::answer(boost::system::result<Page> result) {
  operation_->result = std::move(result);
  return Step::kDone;
}

// Returns whether retention has removed a record after the cursor that the selection may want.
Result<ReadPage::Gone> ReadPage::is_gone(ReadFile& file, const View& view) {
  if (!has_index()) {
    return Gone::kYes;
  }
  for (const std::uint64_t topic : topics_) {
    const auto gone = is_gone(file, view, topic);
    if (!gone || *gone != Gone::kNo) {
      return gone;
    }
  }
  return Gone::kNo;
}

Result<ReadPage::Gone> ReadPage::is_gone(ReadFile& file, const View& view, std::uint64_t topic) {
  using Answer = RemovedTopics::Answer;
  const RemovedTopics& removed = *view.index.removed;
  const auto answer = removed.removed_after(file.blocks, topic, cursor_);
  if (!answer) {
    return answer.error();
  }
  if (*answer == Answer::kNoBlock) {
    const auto block_first = file.connection.integer("SELECT block_first FROM removed");
    if (!block_first) {
      return block_first.error();
    }
    if (static_cast<std::uint64_t>(*block_first) == removed.list.block_first) {
      return base::sqlite::Errc::kDamaged;
    }
    return Gone::kAgain;
  }
  if (*answer == Answer::kYes) {
    return Gone::kYes;
  }
  // What was removed not long ago is still in the index.
  std::vector<std::uint64_t> offsets;
  for (const IndexRunPtr& run : *view.index.runs) {
    if (run->after >= view.begin) {
      break;
    }
    const auto found = RunFind(file, *run, Key::kTopic)(topic, cursor_, 1, offsets);
    if (!found) {
      return found.error();
    }
    if (*found == IndexList::Found::kNoBlock) {
      return Gone::kAgain;
    }
    if (!offsets.empty()) {
      break;
    }
  }
  for (const auto& chunk : view.chunks) {
    if (offsets.empty() && chunk->after() < view.begin) {
      sources_.catalog.find(view, *chunk, Key::kTopic, topic, cursor_, 1, offsets);
    }
  }
  return !offsets.empty() && offsets.front() <= view.begin ? Gone::kYes : Gone::kNo;
}

Result<ReadPage::Part> ReadPage::read_in_order(ReadFile& file, const View& view) {
  Statement& select = file.select_from;
  const Reset reset(select);
  select.bind_bits(1, cursor_);
  while (cursor_ < view.end && has_room()) {
    const auto row = select.step();
    if (!row) {
      return row.error();
    }
    if (!*row || select.bits(0) != cursor_ + 1) {
      const auto there = record_at(file, cursor_ + 1, view.epoch);
      if (!there) {
        return there.error();
      }
      return page_.records.empty() ? Part::kAgain : Part::kFull;
    }
    sources_.counters.rows_visited.fetch_add(1, std::memory_order_relaxed);
    auto record = record_of(select, view.epoch);
    if (!record) {
      return record.error();
    }
    if (!filter_.wants((*record)->event.topics)) {
      const Part part = pass_over(**record);
      if (part != Part::kDone) {
        return part;
      }
      continue;
    }
    if (!has_room_for(**record)) {
      return Part::kFull;
    }
    take(std::move(*record));
  }
  return Part::kDone;
}

// A step leaves out no more than what others may have to wait for, a page no more than what its
// reader may.
ReadPage::Part ReadPage::pass_over(const Record& record) {
  cursor_ = record.position.offset;
  passed_over_bytes_ += text_bytes(record.event);
  if (++passed_over_ == kPassOverMax) {
    return Part::kFull;
  }
  const bool step_ends =
      passed_over_ % kPassOverAtOnce == 0 || passed_over_bytes_ > sources_.page_bytes_max;
  return step_ends ? Part::kAgain : Part::kDone;
}

Result<ReadPage::Part> ReadPage::read_topics(ReadFile& file, const View& view) {
  for (const IndexRunPtr& run : *view.index.runs) {
    if (looked_at_ > kBlocksAtOnce) {
      return Part::kAgain;
    }
    const auto part = read_stretch(file, view.epoch, run->last, RunFind(file, *run, Key::kTopic));
    if (!part || *part != Part::kDone) {
      return part;
    }
  }
  for (const auto& chunk : view.chunks) {
    const auto part = read_stretch(file, view.epoch, last_of(view, *chunk),
                                   ChunkFind(sources_.catalog, view, *chunk, Key::kTopic));
    if (!part || *part != Part::kDone) {
      return part;
    }
  }
  return Part::kDone;
}

// Reads what the selection wants up to `last`, where `find` is the index.
template <typename Find>
Result<ReadPage::Part> ReadPage::read_stretch(ReadFile& file,
                                              std::uint64_t epoch,
                                              std::uint64_t last,
                                              Find find) {
  std::vector<std::uint64_t> offsets;
  while (cursor_ < last) {
    if (!has_room()) {
      return Part::kFull;
    }
    offsets.clear();
    std::uint64_t covered = last;
    const auto collected = collect(find, offsets, covered);
    if (!collected || *collected != Part::kDone) {
      return collected;
    }
    for (const std::uint64_t offset : offsets) {
      if (!has_room()) {
        return Part::kFull;
      }
      auto record = record_at(file, offset, epoch);
      if (!record) {
        return record.error();
      }
      if (*record == nullptr) {
        return page_.records.empty() ? Part::kAgain : Part::kFull;
      }
      sources_.counters.rows_visited.fetch_add(1, std::memory_order_relaxed);
      if (!filter_.wants((*record)->event.topics)) {
        continue;  // another topic with the same hash
      }
      if (!has_room_for(**record)) {
        return Part::kFull;
      }
      take(std::move(*record));
    }
    cursor_ = covered;
  }
  return Part::kDone;
}

// Puts into `offsets` those after the cursor that the index gives for the selection, in order, as
// many as the page has room for. Lowers `covered` to where they are all there are.
template <typename Find>
Result<ReadPage::Part> ReadPage::collect(Find find,
                                         std::vector<std::uint64_t>& offsets,
                                         std::uint64_t& covered) {
  const std::size_t max = limits_.records_max - page_.records.size();
  for (const std::uint64_t topic : topics_) {
    ++looked_at_;
    const auto found = find(topic, cursor_, max, offsets);
    if (!found) {
      return found.error();
    }
    if (*found == IndexList::Found::kNoBlock) {
      return page_.records.empty() ? Part::kAgain : Part::kFull;
    }
    if (*found == IndexList::Found::kMore) {
      covered = std::min(covered, offsets.back());
    }
  }
  if (topics_.size() > 1) {
    std::sort(offsets.begin(), offsets.end());
    offsets.erase(std::unique(offsets.begin(), offsets.end()), offsets.end());
    offsets.erase(std::upper_bound(offsets.begin(), offsets.end(), covered), offsets.end());
  }
  return Part::kDone;
}

bool ReadPage::has_room() const {
  return page_.records.size() < limits_.records_max;
}

// A page takes one record, however large.
bool ReadPage::has_room_for(const Record& next) const {
  return page_.records.empty() || bytes_ + text_bytes(next.event) <= limits_.bytes_max;
}

void ReadPage::take(RecordPtr record) {
  bytes_ += text_bytes(record->event);
  cursor_ = record->position.offset;
  page_.records.push_back(std::move(record));
}

}  // namespace vrelo::log::sqlite
