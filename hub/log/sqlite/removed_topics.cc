// SPDX-License-Identifier: Apache-2.0
#include "hub/log/sqlite/removed_topics.h"

#include <algorithm>
#include <cassert>
#include <utility>

#include <fmt/format.h>

namespace vrelo::log::sqlite {
namespace {

using base::sqlite::Connection;
using base::sqlite::Result;

// Offsets that are looked at to find the oldest of all. With more topics only each n-th is: topics
// are in the order of their hashes, so that those are as good as drawn at random.
constexpr std::uint64_t kSampleMax = 65'536;

// Returns the checksum of all that is in the row.
std::uint64_t checksum_of(const RemovedTopics& removed) {
  return index_checksum(removed.list.block_first,
                        fmt::format("{} {} ", removed.topics, removed.forgotten_to) +
                            encode_fences(removed.list.fences));
}

}  // namespace

Result<RemovedTopics::Answer> RemovedTopics::removed_after(BlockSource& source,
                                                           std::uint64_t topic,
                                                           std::uint64_t after) const {
  std::vector<std::uint64_t> offsets;
  const auto found = list.find(source, {.hash = topic, .value = 0}, 1, offsets);
  if (!found) {
    return found.error();
  }
  if (*found == IndexList::Found::kNoBlock) {
    return Answer::kNoBlock;
  }
  const std::uint64_t offset = offsets.empty() ? forgotten_to : offsets.front();
  return offset > after ? Answer::kYes : Answer::kNo;
}

Result<RemovedTopics> read_removed_topics(Connection& connection) {
  auto select =
      connection.prepare("SELECT topics, forgotten_to, block_first, fences, checksum FROM removed");
  if (!select) {
    return select.error();
  }
  const auto row = select->step();
  if (!row) {
    return row.error();
  }
  if (!*row) {
    return RemovedTopics();
  }
  auto fences = decode_fences(select->bytes(3));
  if (!fences) {
    return base::sqlite::Errc::kDamaged;
  }
  RemovedTopics removed{.topics = select->bits(0),
                        .forgotten_to = select->bits(1),
                        .list = {.block_first = select->bits(2), .fences = std::move(*fences)}};
  if (select->bits(4) != checksum_of(removed)) {
    return base::sqlite::Errc::kDamaged;
  }
  return removed;
}

RemovedTopicsMerge::RemovedTopicsMerge(RemovedTopicsPtr old,
                                       IndexRuns runs,
                                       std::uint64_t topics_max,
                                       std::uint64_t block_first)
    : old_(std::move(old)),
      runs_(std::move(runs)),
      topics_max_(topics_max),
      merged_{.forgotten_to = old_->forgotten_to, .list = {.block_first = block_first}},
      block_next_(block_first) {
  assert(!runs_.empty());
  std::uint64_t topics = old_->topics;
  inputs_.push_back({.list = old_->list, .base = 0});
  for (const IndexRunPtr& run : runs_) {
    topics += run->topics;
    inputs_.push_back({.list = run->list(Key::kTopic), .base = run->after});
  }
  pass_ = topics > topics_max_ ? Pass::kSample : Pass::kMerge;
  stride_ = topics / kSampleMax + 1;
}

Result<void> RemovedTopicsMerge::stage(BlockSource& source, std::size_t slice_topics) {
  if (!staged_.empty() || pass_ == Pass::kMerged) {
    return {};
  }
  if (!begun_) {
    if (auto done = rewind(source); !done) {
      return done;
    }
    begun_ = true;
  }
  if (pass_ == Pass::kSample) {
    return sample(source, slice_topics);
  }
  for (std::size_t i = 0; i < slice_topics; ++i) {
    const auto entry = next(source);
    if (!entry) {
      return entry.error();
    }
    if (!*entry) {
      list_.finish();
      pass_ = Pass::kMerged;
      break;
    }
    if ((*entry)->value > merged_.forgotten_to) {
      list_.add(**entry);
      ++merged_.topics;
    }
  }
  staged_ = list_.take_blocks();
  merged_.list.fences = list_.fences();
  return {};
}

// Goes on through all topics in order to see how old they are, and in the end decides which to
// forget.
Result<void> RemovedTopicsMerge::sample(BlockSource& source, std::size_t slice_topics) {
  for (std::size_t i = 0; i < slice_topics; ++i) {
    const auto entry = next(source);
    if (!entry) {
      return entry.error();
    }
    if (!*entry) {
      decide();
      pass_ = Pass::kMerge;
      begun_ = false;
      return {};
    }
    if (seen_++ % stride_ == 0) {
      sample_.push_back((*entry)->value);
    }
  }
  return {};
}

void RemovedTopicsMerge::decide() {
  if (seen_ <= topics_max_) {
    return;
  }
  // A part more than needed, so that not each merge has to.
  const std::uint64_t kept = (topics_max_ - topics_max_ / 8) / stride_;
  if (sample_.size() <= kept) {
    return;
  }
  const auto newest_forgotten =
      sample_.begin() + static_cast<std::ptrdiff_t>(sample_.size() - kept - 1);
  std::nth_element(sample_.begin(), newest_forgotten, sample_.end());
  merged_.forgotten_to = std::max(merged_.forgotten_to, *newest_forgotten);
}

Result<void> RemovedTopicsMerge::write(Connection& connection) {
  if (auto written = write_blocks(connection, block_next_, staged_); !written) {
    return written;
  }
  if (pass_ != Pass::kMerged) {
    return {};
  }
  auto replace = connection.prepare("INSERT OR REPLACE INTO removed VALUES(1, ?, ?, ?, ?, ?)");
  if (!replace) {
    return replace.error();
  }
  const std::string fences = encode_fences(merged_.list.fences);
  replace->bind_bits(1, merged_.topics)
      .bind_bits(2, merged_.forgotten_to)
      .bind_bits(3, merged_.list.block_first)
      .bind_blob(4, fences)
      .bind_bits(5, checksum_of(merged_));
  if (auto replaced = replace->run(); !replaced) {
    return replaced;
  }
  auto remove = connection.prepare("DELETE FROM runs WHERE last <= ?");
  if (!remove) {
    return remove.error();
  }
  return remove->bind_bits(1, runs_.back()->last).run();
}

void RemovedTopicsMerge::written() {
  block_next_ += staged_.size();
  staged_.clear();
  complete_ = pass_ == Pass::kMerged;
}

Result<void> RemovedTopicsMerge::rewind(BlockSource& source) {
  for (Input& input : inputs_) {
    input.cursor = std::make_unique<IndexCursor>(input.list);
    input.ahead.reset();
    auto first = input.cursor->next(source);
    if (!first) {
      return first.error();
    }
    input.ahead = *first;
    if (auto done = advance(input, source); !done) {
      return done;
    }
  }
  return {};
}

// Moves to the last entry of the input's next topic.
Result<void> RemovedTopicsMerge::advance(Input& input, BlockSource& source) {
  input.entry = input.ahead;
  while (input.ahead && input.ahead->hash == input.entry->hash) {
    input.entry = input.ahead;
    auto ahead = input.cursor->next(source);
    if (!ahead) {
      return ahead.error();
    }
    input.ahead = *ahead;
  }
  return {};
}

// Returns the next topic of all inputs, with its newest offset.
Result<std::optional<IndexEntry>> RemovedTopicsMerge::next(BlockSource& source) {
  std::optional<IndexEntry> lowest;
  for (const Input& input : inputs_) {
    if (input.entry && (!lowest || input.entry->hash < lowest->hash)) {
      lowest = input.entry;
    }
  }
  if (!lowest) {
    return lowest;
  }
  lowest->value = 0;
  for (Input& input : inputs_) {
    if (input.entry && input.entry->hash == lowest->hash) {
      lowest->value = std::max(lowest->value, input.base + input.entry->value);
      if (auto done = advance(input, source); !done) {
        return done.error();
      }
    }
  }
  return lowest;
}

}  // namespace vrelo::log::sqlite
