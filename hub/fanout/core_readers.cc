// SPDX-License-Identifier: Apache-2.0
//
// Readers by cursor: streams that are new, or whose socket was full.
#include <algorithm>
#include <cassert>
#include <utility>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <boost/container_hash/hash.hpp>

#include "hub/fanout/core.h"
#include "hub/log/event_id.h"

namespace vrelo::fanout {
namespace {

// What a reader is given at once: enough for one write.
constexpr log::ReadLimits kStepLimits{.records_max = 64, .bytes_max = std::size_t{1} << 18};

// How many records a reader with so many patterns is given at once: each is compared with all of
// them, for which the others wait.
constexpr std::size_t kComparisonsAtOnce = 512;

log::ReadLimits step_limits(const Group& group) {
  log::ReadLimits limits = kStepLimits;
  if (!group.patterns.empty()) {
    limits.records_max =
        std::clamp<std::size_t>(kComparisonsAtOnce / group.patterns.size(), 1, limits.records_max);
  }
  return limits;
}

// A page of older history.
constexpr log::ReadLimits kPageLimits{.records_max = 1000, .bytes_max = std::size_t{1} << 18};

// How many writes a reader gets before the next one has its turn.
constexpr int kStepWrites = 4;

// What a group reads from the log. Topics are in the order of their names and patterns of their
// texts, so that pages are found again whatever order the group has them in, which is that of the
// entries' addresses.
// It is made once and kept, since a reader who is far behind asks for it at each step.
const log::Selection& selection_of(const Group& group, Reader& reader) {
  if (reader.selection != nullptr) {
    return *reader.selection;
  }
  log::Selection selection{.all = group.all};
  for (const TopicEntry* const topic : group.topics) {
    selection.topics.emplace_back(topic->name());
  }
  for (const PatternEntry* const pattern : group.patterns) {
    selection.patterns.push_back(pattern->pattern);
  }
  std::sort(selection.topics.begin(), selection.topics.end());
  std::sort(selection.patterns.begin(), selection.patterns.end(),
            [](const auto& a, const auto& b) { return a->text() < b->text(); });
  reader.selection = std::make_unique<const log::Selection>(std::move(selection));
  return *reader.selection;
}

std::size_t hash_of(const log::Selection& selection) {
  std::size_t seed = selection.all ? 1 : 0;
  boost::hash_combine(seed, selection.topics);
  for (const base::TopicPatternPtr& pattern : selection.patterns) {
    boost::hash_combine(seed, pattern.get());
  }
  return seed;
}

}  // namespace

void Core::enqueue(int fd, Reader& reader) {
  if (!reader.queued) {
    reader.queued = true;
    queue_.push_back(fd);
  }
  schedule_readers();
}

void Core::schedule_readers() {
  if (queue_scheduled_ || queue_.empty()) {
    return;
  }
  queue_scheduled_ = true;
  boost::asio::post(parts_.executor, [self = weak_from_this()] {
    if (const auto core = self.lock()) {
      core->serve_readers();
    }
  });
}

void Core::serve_readers() {
  queue_scheduled_ = false;
  const Steady end = parts_.clock.steady() + (round_.active() ? kSliceBesideRound : kSlice);
  while (!queue_.empty() && parts_.clock.steady() < end) {
    const int fd = queue_.front();
    queue_.pop_front();
    Stream* const stream = streams_.find(fd);
    // The stream may have ended, and its descriptor may have another one by now.
    if (stream != nullptr && !stream->live() && std::exchange(stream->reader->queued, false)) {
      step(fd);
    }
  }
  schedule_readers();
}

void Core::on_writable(int fd) {
  Stream* const stream = streams_.find(fd);
  if (stream == nullptr || stream->live() || !stream->reader->blocked) {
    return;
  }
  // In its turn: many that are told at once would keep a round waiting.
  stream->reader->blocked = false;
  parts_.sockets.want_writable(fd, false);
  enqueue(fd, *stream->reader);
}

// Takes a reader as far as its socket, the records at hand and its turn allow.
void Core::step(int fd) {
  Stream& stream = streams_.at(fd);
  Reader& reader = *stream.reader;
  if (reader.blocked || reader.fetching) {
    return;
  }
  for (int writes = 0; writes < kStepWrites; ++writes) {
    if (!reader.own.empty() && send_own(fd, stream) != Step::kGoOn) {
      return;
    }
    if (!(reader.cursor < delivered_)) {
      arrive(fd, stream);
      return;
    }
    if (send_next(fd, stream) != Step::kGoOn) {
      return;
    }
  }
  enqueue(fd, reader);
}

// A reader that has nothing to read up to delivered_ becomes live, or waits for the end of a round;
// the first round is there when the window begins to follow the log. Where the epochs differ, it
// may be the window that does not know of the new one yet, so the log is asked which is old.
void Core::arrive(int fd, Stream& stream) {
  const Reader& reader = *stream.reader;
  const log::Position window_end = parts_.window.end();
  if (reader.cursor == delivered_ && reader.partial == 0 && !round_.active() &&
      !(delivered_ < reader.live_from)) {
    make_live(fd, stream);
  } else if (reader.cursor.epoch != delivered_.epoch &&
             reader.cursor.epoch != parts_.log.end().epoch) {
    announce_gap(fd, stream);
  } else {
    waiting_.push_back(fd);
    // Nothing wakes this shard for records that no stream of it wants, so delivered_ may be far
    // behind.
    if (window_end != delivered_) {
      request_round();
    }
  }
}

void Core::block(int fd, Reader& reader) {
  reader.blocked = true;
  parts_.sockets.want_writable(fd, true);
}

Core::Step Core::send_own(int fd, Stream& stream) {
  Reader& reader = *stream.reader;
  const net::Sent sent = send(fd, std::string_view(reader.own));
  if (sent.failed) {
    close(fd, counters_.gone);
    return Step::kClosed;
  }
  if (sent.bytes > 0) {
    reader.progress_tick = tick_;
    stream.written_tick = tick_;
  }
  reader.own.erase(0, sent.bytes);
  if (!reader.own.empty()) {
    block(fd, reader);
    return Step::kWait;
  }
  reader.own.shrink_to_fit();
  return Step::kGoOn;
}

// Sends the records after the cursor.
Core::Step Core::send_next(int fd, Stream& stream) {
  log::Position next;
  found_.clear();
  if (!find_next(stream, next)) {
    fetch(fd, stream);
    return Step::kWait;
  }
  std::erase_if(found_, [this, &stream](const EncodedPtr& record) {
    ask_for(*record, asked_);
    return !may_read(*stream.group->grant, *record, asked_);
  });
  const Reader& reader = *stream.reader;
  const bool partial_gone = found_.empty() ? next.offset >= reader.partial_of
                                           : found_.front()->position.offset != reader.partial_of;
  if (reader.partial > 0 && partial_gone) {
    close(fd, counters_.record_gone);
    return Step::kClosed;
  }
  const Step step = send_found(fd, stream, next);
  found_.clear();
  return step;
}

// Puts into found_ what follows the reader's cursor, up to delivered_, from the window or from a
// page of history; `next` is where to go on after it. False: the log has to be read.
bool Core::find_next(Stream& stream, log::Position& next) {
  Reader& reader = *stream.reader;
  const Group& group = *stream.group;
  topics_.clear();
  for (const TopicEntry* const topic : group.topics) {
    topics_.push_back(index_.view(*topic));
  }
  // The window has an index of topics, none of patterns: what they do not select is left out here.
  const bool all = group.all || !group.patterns.empty();
  const auto read = parts_.window.read(reader.cursor, delivered_, {.all = all, .listed = topics_},
                                       step_limits(group), found_);
  if (read) {
    if (!group.patterns.empty()) {
      std::erase_if(found_, [&](const EncodedPtr& record) {
        ask_for(*record, asked_);
        return !selects(group, *record, asked_);
      });
    }
    counters_.window_hits.add(1);
    reader.selection = nullptr;
    next = *read;
    return true;
  }

  const log::Selection& selection = selection_of(group, reader);
  const EncodedPagePtr page = pages_.find(selection, reader.cursor);
  if (page == nullptr) {
    return false;
  }
  counters_.page_cache_hits.add(1);
  next = std::min(page->next, delivered_, [](const auto& a, const auto& b) { return a < b; });
  const auto first = std::upper_bound(
      page->records.begin(), page->records.end(), reader.cursor,
      [](const auto& cursor, const EncodedPtr& record) { return cursor < record->position; });
  for (auto at = first; at != page->records.end() && !(next < (*at)->position); ++at) {
    if (found_.size() == kStepLimits.records_max) {
      next = found_.back()->position;
      break;
    }
    found_.push_back(*at);
  }
  return true;
}

// Sends found_ in one write and moves the cursor past what is out.
Core::Step Core::send_found(int fd, Stream& stream, log::Position next) {
  Reader& reader = *stream.reader;
  if (found_.empty()) {
    reader.cursor = next;
    return Step::kGoOn;
  }
  const std::string_view tail = tail_of(fd, *stream.group);
  const std::size_t longer = tail.empty() ? 0 : tail.size() - kBlockEnd.size();
  pieces_.clear();
  std::size_t size = 0;
  for (const EncodedPtr& record : found_) {
    const std::string_view block = record->block.bytes();
    const std::size_t before = pieces_.empty() ? reader.partial : 0;  // of a remainder
    assert(before < block.size() + longer);
    append_pieces(block, tail, before, pieces_);
    size += block.size() + longer - before;
  }
  const net::Sent sent = send(fd, std::span<const iovec>(pieces_));
  if (sent.failed) {
    close(fd, counters_.gone);
    return Step::kClosed;
  }
  if (sent.bytes > 0) {
    reader.progress_tick = tick_;
    stream.written_tick = tick_;
  }
  std::size_t rest = sent.bytes;
  for (const EncodedPtr& record : found_) {
    const log::Position position = record->position;
    const std::size_t left = record->block.bytes().size() + longer - reader.partial;
    if (rest < left) {
      reader.partial += rest;
      reader.partial_of = reader.partial > 0 ? position.offset : 0;
      break;
    }
    rest -= left;
    reader.cursor = position;
    reader.partial = 0;
    reader.partial_of = 0;
    stream.told = position.offset;
  }
  if (sent.bytes < size) {
    block(fd, reader);
    return Step::kWait;
  }
  reader.cursor = next;
  return Step::kGoOn;
}

// Reads the page of the log that the reader needs. Readers of the same topics who are further on
// wait for a page that is already being read, because it may hold what they need.
void Core::fetch(int fd, Stream& stream) {
  Reader& reader = *stream.reader;
  reader.fetching = true;
  const log::Selection& selection = selection_of(*stream.group, reader);
  const std::size_t hash = hash_of(selection);
  const auto [begin, end] = fetches_.equal_range(hash);
  for (auto at = begin; at != end; ++at) {
    Fetch& fetch = at->second;
    if (fetch.after <= reader.cursor && fetch.selection == selection) {
      fetch.waiting.push_back(fd);
      return;
    }
  }
  counters_.storage_reads.add(1);
  const auto added = fetches_.emplace(
      hash, Fetch{.selection = selection, .after = reader.cursor, .waiting = {fd}});
  boost::asio::co_spawn(parts_.executor, run_fetch(added), boost::asio::detached);
}

base::Task<void> Core::run_fetch(Fetches::iterator at) {
  const auto self = shared_from_this();
  const Fetch& fetch = at->second;
  auto page = co_await parts_.log.read(fetch.after, fetch.selection, kPageLimits);
  page_arrived(at, std::move(page));
}

void Core::page_arrived(Fetches::iterator at, boost::system::result<log::Page> page) {
  const Fetch arrived = std::move(at->second);
  fetches_.erase(at);
  if (page && arrived.after < page->next) {
    auto encoded = std::make_shared<EncodedPage>(
        EncodedPage{.selection = arrived.selection, .after = arrived.after, .next = page->next});
    encoded->records.reserve(page->records.size());
    for (const log::RecordPtr& record : page->records) {
      encoded->records.push_back(encode(parts_.window.hash_key(), *record));
    }
    pages_.add(std::move(encoded));
  }
  const bool gone = !page && page.error() == log::Errc::kPositionGone;
  const bool stopped = !page && page.error() == log::Errc::kStopped;
  if (!page && !gone && !stopped) {
    counters_.failed_reads.add(1);
  }
  for (const int fd : arrived.waiting) {
    Stream* const stream = streams_.find(fd);
    if (stream == nullptr || stream->live() || !stream->reader->fetching) {
      continue;
    }
    Reader& reader = *stream->reader;
    // The stream may have ended, and its descriptor may have another one that waits for its own.
    if (selection_of(*stream->group, reader) != arrived.selection) {
      continue;
    }
    reader.fetching = false;
    if (stopped) {
      close(fd, counters_.log_stopped);
    } else if (gone && reader.cursor == arrived.after) {
      announce_gap(fd, *stream);
    } else if (page && arrived.after < page->next && fd == arrived.waiting.front()) {
      // At once: when its turn comes in the queue, the pages of others may have driven this one out
      // of the cache, and it would have to be read again, and again.
      step(fd);
    } else if ((page && arrived.after < page->next) || gone) {
      enqueue(fd, reader);
    } else {
      retrying_.push_back(fd);  // the store does not answer, or it lags behind its own tail
    }
  }
}

// Retention has overtaken the reader, or the log was replaced.
void Core::announce_gap(int fd, Stream& stream) {
  Reader& reader = *stream.reader;
  if (reader.partial > 0) {
    close(fd, counters_.record_gone);
    return;
  }
  const log::Position begin = parts_.log.begin();
  const std::string_view reason = begin.epoch == reader.cursor.epoch ? "retention" : "epoch";
  counters_.gaps.add(1);
  // While it waited for a page it may have begun a heartbeat, the rest of which goes first.
  reader.own += gap_block(reason, log::event_id(reader.cursor), begin, id_suffix_of(fd, stream));
  reader.cursor = begin;
  stream.told = begin.offset;
  enqueue(fd, reader);
}

}  // namespace vrelo::fanout
