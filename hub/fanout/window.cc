// SPDX-License-Identifier: Apache-2.0
#include "hub/fanout/window.h"

#include <algorithm>
#include <cassert>
#include <utility>

#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace vrelo::fanout {
namespace {

// How far before the log's end follow() begins. Offsets need not be dense, so this is a bound, not
// a count; what does not fit the window leaves it again at the front.
constexpr std::uint64_t kFillRecords = 65'536;

// After how many records follow() lets the loop do other things: about 1 ms.
constexpr std::size_t kFollowAtOnce = 1000;

// How many records take() looks at under the lock, wanted or not: about 50 µs.
constexpr std::size_t kLooksMax = 4096;

log::Position fill_from(const log::Log& log) {
  const log::Position begin = log.begin();
  const log::Position end = log.end();
  assert(begin.epoch == end.epoch && begin.offset <= end.offset);
  const std::uint64_t back = std::min(end.offset - begin.offset, kFillRecords);
  return {.epoch = end.epoch, .offset = end.offset - back};
}

}  // namespace

Window::Window(const log::HashKey& hash_key, std::size_t bytes_max, std::size_t shards, Wake wake)
    : hash_key_(hash_key),
      bytes_max_(bytes_max),
      wake_(std::move(wake)),
      interest_(shards),
      runs_(0, Hash{hash_key}),
      shards_(shards) {}

base::Task<void> Window::follow(log::Log& log, std::function<base::Task<void>()> pause) {
  log::Position from = fill_from(log);
  while (true) {
    reset(from);
    const std::unique_ptr<log::Tail> tail = log.tail(from);
    boost::system::error_code failure;
    std::size_t followed = 0;
    while (failure != log::Errc::kPositionGone) {
      const auto records = co_await tail->next({});
      if (records) {
        append(*records);
        followed += records->size();
        if (followed >= kFollowAtOnce) {
          // There may always be more, and then next() waits for nothing.
          followed = 0;
          co_await boost::asio::post(boost::asio::use_awaitable_t<base::Executor>());
        }
        continue;
      }
      failure = records.error();
      if (failure == log::Errc::kStopped) {
        co_return;
      }
      if (failure == log::Errc::kUnavailable) {
        co_await pause();
      }
    }
    from = log.begin();
  }
}

void Window::append(std::span<const log::RecordPtr> records) {
  std::vector<EncodedPtr> encoded;
  encoded.reserve(records.size());
  for (const log::RecordPtr& record : records) {
    encoded.push_back(encode(hash_key_, *record));
  }

  std::vector<EncodedPtr> popped;  // freed after the lock
  std::vector<std::size_t> woken;
  {
    const std::lock_guard lock(mutex_);
    for (EncodedPtr& record : encoded) {
      push(record);
    }
    // One record stays, however large: readers are waiting for it.
    while (bytes_ > bytes_max_ && records_.size() > 1) {
      pop(popped);
    }
    for (std::size_t shard = 0; shard < shards_.size(); ++shard) {
      ShardState& state = shards_[shard];
      if (state.wanted_from != 0) {
        continue;
      }
      const auto wanted = std::find_if(
          encoded.begin(), encoded.end(),
          [&](const EncodedPtr& record) { return interest_.wants(shard, record->hashes); });
      if (wanted != encoded.end()) {
        state.wanted_from = (*wanted)->position.offset;
        if (!state.overrun) {
          woken.push_back(shard);
        }
      }
    }
  }
  for (const std::size_t shard : woken) {
    wake_(shard);
  }
}

void Window::reset(log::Position begin) {
  std::deque<EncodedPtr> records;
  decltype(runs_) runs(0, Hash{hash_key_});
  std::vector<std::size_t> woken;
  {
    const std::lock_guard lock(mutex_);
    records.swap(records_);
    runs.swap(runs_);
    bytes_ = 0;
    begin_ = begin;
    end_ = begin;
    for (std::size_t shard = 0; shard < shards_.size(); ++shard) {
      ShardState& state = shards_[shard];
      if (state.wanted_from == 0 && !state.overrun) {
        woken.push_back(shard);
      }
      state = {.wanted_from = 0, .overrun = true};
    }
  }
  for (const std::size_t shard : woken) {
    wake_(shard);
  }
}

Taken Window::take(std::size_t shard, log::Position after, log::ReadLimits limits) {
  const std::lock_guard lock(mutex_);
  ShardState& state = shards_[shard];
  Taken taken{.records = {}, .end = end_};
  const std::uint64_t from = std::exchange(state.wanted_from, 0);
  taken.overrun = std::exchange(state.overrun, false) || (from != 0 && from <= begin_.offset);
  if (taken.overrun || from == 0) {
    return taken;
  }
  assert(after.epoch == end_.epoch && from > after.offset);
  std::size_t bytes = 0;
  const std::size_t first = index_of(from);
  for (std::size_t i = first; i < records_.size(); ++i) {
    const EncodedPtr& record = records_[i];
    if (i - first == kLooksMax) {
      state.wanted_from = record->position.offset;
      taken.end = records_[i - 1]->position;
      taken.more = true;
      break;
    }
    if (!interest_.wants(shard, record->hashes)) {
      continue;
    }
    bytes += record->block.bytes().size();
    if (!taken.records.empty() &&
        (taken.records.size() >= limits.records_max || bytes > limits.bytes_max)) {
      state.wanted_from = record->position.offset;
      taken.end = taken.records.back()->position;
      taken.more = true;
      break;
    }
    taken.records.push_back(record);
  }
  return taken;
}

std::optional<log::Position> Window::read(log::Position after,
                                          log::Position until,
                                          const Topics& topics,
                                          log::ReadLimits limits,
                                          std::vector<EncodedPtr>& found) const {
  const std::lock_guard lock(mutex_);
  if (after.epoch != end_.epoch || after.offset < begin_.offset) {
    return std::nullopt;
  }
  assert(until.epoch == end_.epoch && until.offset <= end_.offset);
  std::size_t bytes = 0;
  std::size_t count = 0;
  const auto add = [&](const EncodedPtr& record) {
    bytes += record->block.bytes().size();
    if (count > 0 && (count >= limits.records_max || bytes > limits.bytes_max)) {
      return false;
    }
    found.push_back(record);
    ++count;
    return true;
  };

  if (topics.all) {
    for (std::size_t i = index_of(after.offset + 1); i < records_.size(); ++i) {
      if (records_[i]->position.offset > until.offset) {
        break;
      }
      if (!add(records_[i])) {
        return found.back()->position;
      }
    }
    return std::max(after.offset, until.offset) == after.offset ? after : until;
  }

  std::vector<std::uint64_t> offsets;
  // One more than the limit, to know whether there is more.
  read_topics(after.offset, until.offset, topics.listed, limits.records_max + 1, offsets);
  for (const std::uint64_t offset : offsets) {
    const std::size_t i = index_of(offset);
    assert(i < records_.size() && records_[i]->position.offset == offset);
    if (!add(records_[i])) {
      return found.back()->position;
    }
  }
  return std::max(after.offset, until.offset) == after.offset ? after : until;
}

bool Window::reaches(log::Position position) const {
  const std::lock_guard lock(mutex_);
  return position.epoch == end_.epoch && position.offset >= begin_.offset &&
         position.offset <= end_.offset;
}

log::Position Window::end() const {
  const std::lock_guard lock(mutex_);
  return end_;
}

std::size_t Window::bytes() const {
  const std::lock_guard lock(mutex_);
  return bytes_;
}

void Window::push(EncodedPtr record) {
  assert(record->position > end_);
  for (std::size_t i = 0; i < record->topics.size(); ++i) {
    const TopicView topic{.name = record->topics[i], .hash = record->hashes[i]};
    auto run = runs_.find(topic);
    if (run == runs_.end()) {
      run = runs_.emplace(record->topics[i], Run{}).first;
    }
    std::vector<std::uint64_t>& offsets = run->second.offsets;
    // An event may name a topic twice.
    if (offsets.empty() || offsets.back() != record->position.offset) {
      offsets.push_back(record->position.offset);
    }
  }
  bytes_ += record->bytes();
  end_ = record->position;
  records_.push_back(std::move(record));
}

void Window::pop(std::vector<EncodedPtr>& popped) {
  EncodedPtr record = std::move(records_.front());
  records_.pop_front();
  bytes_ -= record->bytes();
  begin_ = record->position;
  for (std::size_t i = 0; i < record->topics.size(); ++i) {
    const auto run = runs_.find(TopicView{.name = record->topics[i], .hash = record->hashes[i]});
    if (run == runs_.end()) {
      continue;  // named twice, and gone the first time
    }
    auto& [offsets, front] = run->second;
    if (offsets[front] == record->position.offset) {
      ++front;
    }
    if (front == offsets.size()) {
      runs_.erase(run);
    } else if (front > 16 && front * 2 > offsets.size()) {
      offsets.erase(offsets.begin(), offsets.begin() + static_cast<std::ptrdiff_t>(front));
      front = 0;
    }
  }
  popped.push_back(std::move(record));
}

std::size_t Window::index_of(std::uint64_t offset) const {
  if (records_.empty() || offset <= records_.front()->position.offset) {
    return 0;
  }
  // Where offsets are dense, the first guess is right.
  const std::uint64_t guess = offset - records_.front()->position.offset;
  if (guess < records_.size() && records_[guess]->position.offset == offset) {
    return guess;
  }
  const auto at = std::lower_bound(records_.begin(), records_.end(), offset,
                                   [](const EncodedPtr& record, std::uint64_t wanted) {
                                     return record->position.offset < wanted;
                                   });
  return static_cast<std::size_t>(at - records_.begin());
}

void Window::read_topics(std::uint64_t after,
                         std::uint64_t until,
                         std::span<const TopicView> topics,
                         std::size_t records_max,
                         std::vector<std::uint64_t>& offsets) const {
  for (const TopicView& topic : topics) {
    const auto run = runs_.find(topic);
    if (run == runs_.end()) {
      continue;
    }
    const auto first = run->second.offsets.begin() + static_cast<std::ptrdiff_t>(run->second.front);
    auto at = std::upper_bound(first, run->second.offsets.end(), after);
    for (std::size_t n = 0; at != run->second.offsets.end() && *at <= until && n < records_max;
         ++n) {
      offsets.push_back(*at++);
    }
  }
  if (topics.size() > 1) {
    // Each topic gave its first ones, so the first ones of all are among them.
    std::sort(offsets.begin(), offsets.end());
    offsets.erase(std::unique(offsets.begin(), offsets.end()), offsets.end());
  }
  if (offsets.size() > records_max) {
    offsets.resize(records_max);
  }
}

}  // namespace vrelo::fanout
