// SPDX-License-Identifier: Apache-2.0
#include "hub/fanout/core.h"

#include <algorithm>
#include <cassert>
#include <utility>

#include <boost/asio/post.hpp>

namespace vrelo::fanout {
namespace {

// What one round brings at most: as much as a socket's buffer takes.
constexpr log::ReadLimits kRoundLimits{.records_max = 512, .bytes_max = std::size_t{1} << 17};

// How many streams are served between two looks at the clock.
constexpr std::size_t kSendsPerLook = 16;

// Whether there may be records for `group` of which no topic is listed in it.
bool wants_unlisted(const Group& group) {
  return group.all || !group.patterns.empty();
}

}  // namespace

Core::Core(FanOutParts parts, FanOutLimits limits)
    : parts_(std::move(parts)),
      limits_(limits),
      random_(parts_.seed),
      index_(parts_.window.hash_key()),
      delivered_(parts_.window.end()),
      round_alarm_(parts_.make_alarm([this] { start_round(); })),
      pages_(limits.page_cache_bytes_max),
      tick_alarm_(parts_.make_alarm([this] { on_tick(); })) {}

Membership Core::enter(const log::Selection& selection,
                       auth::GrantPtr grant,
                       std::string_view id_suffix) {
  Group& group =
      index_.enter(selection, std::move(grant), id_suffix.empty() ? Ids::kShared : Ids::kOwn);
  if (group.users == 1) {
    counters_.groups.add(1);
    if (wants_unlisted(group)) {
      parts_.window.interest().raise_all(parts_.shard);
    }
    for (const TopicEntry* const topic : group.topics) {
      parts_.window.interest().raise(parts_.shard, index_.view(*topic).hash);
    }
  }
  return {*this, group, id_suffix};
}

void Core::leave(Group& group) {
  if (group.users == 1) {
    counters_.groups.add(static_cast<std::uint64_t>(-1));
    if (wants_unlisted(group)) {
      parts_.window.interest().lower_all(parts_.shard);
    }
    for (const TopicEntry* const topic : group.topics) {
      parts_.window.interest().lower(parts_.shard, index_.view(*topic).hash);
    }
    round_.forget(group);
  }
  index_.leave(group);
}

void Core::open(
    int fd, Membership membership, log::Position start, Hello hello, std::string opening) {
  counters_.opened.add(1);
  if (!parts_.sockets.adopt(fd)) {
    counters_.gone.add(1);
    return;
  }
  counters_.streams.add(1);
  Stream& stream = streams_.make(fd);
  assert(stream.group == nullptr);
  stream.group = std::exchange(membership.group_, nullptr);
  stream.told = start.offset;
  stream.written_tick = tick_;
  stream.hello = hello;
  if (stream.group->ids == Ids::kOwn) {
    tails_[fd] = std::move(membership.id_suffix_) + std::string(kBlockEnd);
  }
  Reader& reader = make_reader(fd, stream, start);
  reader.own = std::move(opening);
  reader.live_from = parts_.window.end();
  start_ticks();
  wheel_.set(fd, first_look(fd, stream));
  step(fd);
}

void Core::wake() {
  boost::asio::post(parts_.executor, [self = weak_from_this()] {
    if (const auto core = self.lock()) {
      core->counters_.wakes.add(1);
      core->request_round();
    }
  });
}

void Core::request_round() {
  if (round_scheduled_ || round_.active()) {
    round_wanted_ = true;
    return;
  }
  round_scheduled_ = true;
  if (parts_.clock.steady() < next_round_) {
    round_alarm_->set(next_round_);
    return;
  }
  // Posted twice, it runs behind the requests that were read in the same turn of the loop, so that
  // their events are in the round too.
  boost::asio::post(parts_.executor, [self = weak_from_this(), executor = parts_.executor] {
    boost::asio::post(executor, [self] {
      if (const auto core = self.lock()) {
        core->start_round();
      }
    });
  });
}

void Core::start_round() {
  assert(!round_.active());
  round_scheduled_ = false;
  round_wanted_ = false;
  Taken taken = parts_.window.take(parts_.shard, delivered_, kRoundLimits);
  if (taken.overrun) {
    overrun();
  }
  round_end_ = taken.end;
  round_more_ = taken.more;
  round_cost_ = std::chrono::nanoseconds(0);
  if (taken.records.empty()) {
    end_round();
    return;
  }
  counters_.rounds.add(1);
  round_.begin(std::move(taken.records), delivered_, random_());
  run_round();
}

void Core::run_round() {
  if (!round_.active()) {
    return;  // all streams were closed meanwhile
  }
  const Steady begin = parts_.clock.steady();
  const bool done = match_slice() && send_slice();
  round_cost_ += parts_.clock.steady() - begin;
  if (done) {
    end_round();
    return;
  }
  boost::asio::post(parts_.executor, [self = weak_from_this()] {
    if (const auto core = self.lock()) {
      core->run_round();
    }
  });
}

bool Core::match_slice() {
  const Steady begin = parts_.clock.steady();
  while (round_.match_next(index_)) {
    if (slice_over(begin)) {
      return false;
    }
  }
  return true;
}

bool Core::send_slice() {
  const Steady begin = parts_.clock.steady();
  for (std::size_t sends = 1;; ++sends) {
    const int fd = round_.next_stream();
    if (fd < 0) {
      return true;
    }
    net::Sent sent;
    std::size_t longer = 0;
    if (round_.ids() == Ids::kShared) {
      sent = round_.bytes().empty() ? send(fd, round_.pieces()) : send(fd, round_.bytes());
    } else {
      const std::string_view tail = tails_.find(fd)->second;
      longer = tail.size() - kBlockEnd.size();
      sent = send(fd, round_.pieces(tail));
    }
    if (sent.failed) {
      close(fd, counters_.gone);
    } else if (sent.bytes < round_.size(longer)) {
      const Cut cut = round_.cut(sent.bytes, longer);
      Stream& stream = streams_.at(fd);
      Reader& reader = make_reader(fd, stream, cut.after);
      reader.partial = cut.partial;
      reader.partial_of = cut.partial_of;
      if (cut.after != delivered_) {
        stream.told = cut.after.offset;
      }
      block(fd, reader);
    }
    if (sends == kSliceSends || (sends % kSendsPerLook == 0 && slice_over(begin))) {
      return false;
    }
  }
}

void Core::end_round() {
  if (round_.active()) {
    round_.finish([this](Group& group) {
      group.sent_tick = tick_;
      if (group.holes > 0) {
        group.live.erase(std::remove(group.live.begin(), group.live.end(), Group::kHole),
                         group.live.end());
        group.holes = 0;
        for (std::uint32_t i = 0; i < group.live.size(); ++i) {
          streams_.at(group.live[i]).place = i;
        }
      }
    });
    next_round_ = pace_.after_round(parts_.clock.steady(), round_cost_);
  }
  delivered_ = round_end_;

  for (const int fd : std::exchange(waiting_, {})) {
    Stream* const stream = streams_.find(fd);
    if (stream != nullptr && !stream->live()) {
      enqueue(fd, *stream->reader);
    }
  }
  if (round_more_ || round_wanted_) {
    request_round();
  }
}

void Core::overrun() {
  for (int fd = 0; fd < streams_.limit(); ++fd) {
    Stream* const stream = streams_.find(fd);
    if (stream != nullptr && stream->live()) {
      waiting_.push_back(fd);
      make_reader(fd, *stream, delivered_);
    }
  }
}

void Core::make_live(int fd, Stream& stream) {
  assert(!round_.active() && stream.reader->cursor == delivered_ && stream.reader->partial == 0);
  Group& group = *stream.group;
  if (group.live.empty()) {
    group.sent_offset = 0;  // those whom it was told of are gone, and perhaps the epoch too
  }
  stream.reader = nullptr;
  stream.place = static_cast<std::uint32_t>(group.live.size());
  group.live.push_back(fd);
}

Reader& Core::make_reader(int fd, Stream& stream, log::Position cursor) {
  Group& group = *stream.group;
  const bool was_live = stream.place < group.live.size() && group.live[stream.place] == fd;
  if (was_live) {
    // Where a round serves the group, the others must keep their places.
    if (group.place != Group::kNone) {
      group.live[stream.place] = Group::kHole;
      ++group.holes;
    } else {
      const int last = group.live.back();
      group.live[stream.place] = last;
      streams_.at(last).place = stream.place;
      group.live.pop_back();
    }
  }
  if (was_live) {
    stream.told = std::max(stream.told, group.sent_offset);
    stream.written_tick = std::max(stream.written_tick, group.sent_tick);
  }
  stream.reader = std::make_unique<Reader>(Reader{.cursor = cursor, .progress_tick = tick_});
  return *stream.reader;
}

void Core::close(int fd, Counter& reason) {
  Stream& stream = streams_.at(fd);
  if (stream.live()) {
    make_reader(fd, stream, delivered_);
  }
  Group& group = *stream.group;
  if (group.ids == Ids::kOwn) {
    tails_.erase(fd);
  }
  stream = Stream{};
  wheel_.cancel(fd);
  leave(group);
  parts_.sockets.close(fd);
  reason.add(1);
  counters_.streams.add(static_cast<std::uint64_t>(-1));
  if (draining_ && counters_.streams.get() == 0 && drained_) {
    std::exchange(drained_, nullptr)();
  }
}

void Core::close_all() {
  for (int fd = 0; fd < streams_.limit(); ++fd) {
    if (streams_.find(fd) != nullptr) {
      close(fd, counters_.drained);
    }
  }
  if (round_.active()) {
    round_.finish([](Group&) {});
  }
  round_alarm_->cancel();
  tick_alarm_->cancel();
}

std::string_view Core::tail_of(int fd, const Group& group) const {
  return group.ids == Ids::kOwn ? std::string_view(tails_.find(fd)->second) : std::string_view();
}

std::string_view Core::id_suffix_of(int fd, const Stream& stream) const {
  const std::string_view tail = tail_of(fd, *stream.group);
  return tail.substr(0, tail.size() - std::min(tail.size(), kBlockEnd.size()));
}

void Core::on_gone(int fd) {
  if (streams_.find(fd) != nullptr) {
    close(fd, counters_.gone);
  }
}

template <typename Bytes>
net::Sent Core::send(int fd, const Bytes& bytes) {
  const net::Sent sent = parts_.sockets.send(fd, bytes);
  counters_.sends.add(1);
  counters_.sent_bytes.add(sent.bytes);
  return sent;
}

template net::Sent Core::send(int fd, const std::string_view& bytes);
template net::Sent Core::send(int fd, const std::span<const iovec>& bytes);

std::chrono::milliseconds Core::jittered_retry() {
  const auto retry = limits_.retry.count();
  return std::chrono::milliseconds(
      std::uniform_int_distribution(retry - retry * 3 / 10, retry + retry * 3 / 10)(random_));
}

void Core::set_limits(const FanOutLimits& limits) {
  limits_ = limits;
  pages_.set_bytes_max(limits.page_cache_bytes_max);
}

FanOutStats Core::stats() const {
  return {.streams = counters_.streams.get(),
          .groups = counters_.groups.get(),
          .opened = counters_.opened.get(),
          .rounds = counters_.rounds.get(),
          .sends = counters_.sends.get(),
          .sent_bytes = counters_.sent_bytes.get(),
          .wakes = counters_.wakes.get(),
          .window_hits = counters_.window_hits.get(),
          .page_cache_hits = counters_.page_cache_hits.get(),
          .storage_reads = counters_.storage_reads.get(),
          .failed_reads = counters_.failed_reads.get(),
          .gaps = counters_.gaps.get(),
          .closed_gone = counters_.gone.get(),
          .closed_silent = counters_.silent.get(),
          .closed_stalled = counters_.stalled.get(),
          .closed_record_gone = counters_.record_gone.get(),
          .closed_drain = counters_.drained.get(),
          .closed_ended = counters_.ended.get(),
          .closed_replaced = counters_.replaced.get(),
          .closed_log = counters_.log_stopped.get()};
}

}  // namespace vrelo::fanout
