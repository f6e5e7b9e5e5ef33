// SPDX-License-Identifier: Apache-2.0
//
// What happens to streams by the clock: heartbeats, positions, dead peers, the drain.
#include <algorithm>
#include <cassert>
#include <utility>

#include "hub/fanout/core.h"

namespace vrelo::fanout {
namespace {

using std::chrono_literals::operator""ms;

constexpr std::chrono::milliseconds kTick = 250ms;

// By how much a busy shard may be late without time being lost. A process that stood still for
// longer does not count that as its peers' silence.
constexpr std::int64_t kTicksAtOnce = 20;

// How often each stream is looked at, at least: so much later than at best it may be seen that its
// peer is gone.
constexpr std::chrono::milliseconds kLook = 4000ms;

// How much of the time before a peer owed anything counts as silence, too: about a heartbeat's, so
// that an idle peer whose link goes is found as soon as a busy one.
constexpr std::chrono::milliseconds kUnasked = 15'000ms;

}  // namespace

std::uint32_t Core::ticks(std::chrono::milliseconds duration) const {
  return static_cast<std::uint32_t>(std::max<std::int64_t>(duration / kTick, 1));
}

// After how long without a byte the stream gets a heartbeat: the same at each look until then, and
// another for each stream and each time, so that they do not all come at once.
std::uint32_t Core::heartbeat_ticks(int fd, const Stream& stream) const {
  constexpr std::uint64_t kGolden = 0x9E3779B97F4A7C15;  // of 2^64: spreads numbers that are near
  const std::uint64_t number = (static_cast<std::uint64_t>(fd) << 32U) | stream.written_tick;
  const std::int64_t interval = limits_.heartbeat.count();
  const std::int64_t spread = interval * 2 / 5 + 1;
  const auto part = static_cast<std::int64_t>((number * kGolden) >> 40U) * spread >> 24U;
  return ticks(std::chrono::milliseconds(interval - interval / 5 + part));
}

std::uint32_t Core::first_look(int fd, const Stream& stream) const {
  return std::min(heartbeat_ticks(fd, stream), ticks(kLook));
}

void Core::start_ticks() {
  if (!ticking_) {
    ticking_ = true;
    tick_at_ = parts_.clock.steady() + kTick;
    tick_alarm_->set(tick_at_);
  }
}

void Core::on_tick() {
  const auto due = std::max<std::int64_t>(1 + (parts_.clock.steady() - tick_at_) / kTick, 1);
  for (std::int64_t i = 0; i < std::min(due, kTicksAtOnce); ++i) {
    ++tick_;
    wheel_.advance([this](int fd) { care(fd); });
  }
  for (const int fd : std::exchange(retrying_, {})) {
    Stream* const stream = streams_.find(fd);
    if (stream != nullptr && !stream->live()) {
      enqueue(fd, *stream->reader);
    }
  }
  if (draining_) {
    drain_some();
  }
  ticking_ = counters_.streams.get() > 0;
  if (ticking_) {
    tick_at_ += due * kTick;
    tick_alarm_->set(tick_at_);
  }
}

// Looks after one stream, and sets the time of the next look.
void Core::care(int fd) {
  Stream& stream = streams_.at(fd);
  const net::Peer peer = parts_.sockets.peer(fd);
  if (!stream.live()) {
    note_progress(*stream.reader, peer);
  }
  const std::uint32_t silent = silence(stream, peer);
  if (Counter* const reason = death(stream, peer, silent)) {
    close(fd, *reason);
    return;
  }
  const Group& group = *stream.group;
  if (stream.live()) {
    stream.told = std::max(stream.told, group.sent_offset);
    if (group.sent_tick - stream.written_tick < (1U << 31)) {
      stream.written_tick = group.sent_tick;
    }
  }
  const std::uint32_t idle = tick_ - stream.written_tick;
  const std::uint32_t interval = heartbeat_ticks(fd, stream);
  std::uint32_t next = ticks(kLook);
  if (silent > 0 && silent < ticks(limits_.silent_max)) {
    next = std::min(next, ticks(limits_.silent_max) - silent);
  }
  if (idle < interval) {
    wheel_.set(fd, std::min(next, interval - idle));
    return;
  }
  if (round_.active()) {
    // Some of the streams have the round's records already, and some have not.
    wheel_.set(fd, 1);
    return;
  }
  wheel_.set(fd, std::min(next, interval));
  care_idle(fd, stream);
}

// Writes a heartbeat, or a newer position where the last id that the stream was told is older than
// half of the history, so that coming back with it would soon look like a gap.
void Core::care_idle(int fd, Stream& stream) {
  const std::uint64_t begin = parts_.log.begin().offset;
  const std::uint64_t half = begin + (parts_.log.end().offset - begin) / 2;
  if (stream.told < half && delivered_.offset < half) {
    // Nothing was stored for this shard for long: moves delivered_ to the window's end.
    request_round();
  }
  if (stream.live() && stream.told < half && stream.told < delivered_.offset) {
    if (write_between_blocks(fd, stream,
                             position_block(stream.hello, delivered_, id_suffix_of(fd, stream)))) {
      stream.told = delivered_.offset;
    }
    return;
  }
  write_between_blocks(fd, stream, kHeartbeat);
}

// A full socket takes bytes again only when its peer has taken many of those in it: one who takes
// a few a second may need longer for them than a peer may take none.
void Core::note_progress(Reader& reader, const net::Peer& peer) const {
  const auto acknowledged = static_cast<std::uint32_t>(peer.acknowledged);
  if (reader.acknowledged != acknowledged) {
    reader.acknowledged = acknowledged;
    reader.progress_tick = tick_;
  }
}

// For how many ticks the peer has owed an acknowledgement and given none, and been silent before.
//
// The kernel tells it by how often it has sent the oldest byte, and tells too little where its own
// link is down: it then tries at one pace for ever. What is owed at each of our looks, without an
// acknowledgement between them, has been owed all the time.
std::uint32_t Core::silence(Stream& stream, const net::Peer& peer) const {
  if (!peer.outstanding) {
    stream.owing = false;
    return 0;
  }
  const auto ticks_in = [](std::chrono::milliseconds duration) {
    return static_cast<std::uint32_t>(duration / kTick);
  };
  std::uint32_t silent = ticks_in(peer.silent_for);
  if (stream.owing) {
    silent = std::max(silent, std::min(tick_ - stream.owing_tick, ticks_in(peer.acknowledged_ago)));
  }
  stream.owing = true;
  stream.owing_tick = tick_ - silent;
  const std::uint32_t unheard = ticks_in(peer.acknowledged_ago);
  return silent + std::min(unheard - std::min(unheard, silent), ticks_in(kUnasked));
}

// Why the stream should be closed, or nullptr: its peer is gone, or takes nothing.
Core::Counter* Core::death(const Stream& stream, const net::Peer& peer, std::uint32_t silence) {
  if (!peer.window_closed && silence >= ticks(limits_.silent_max)) {
    return &counters_.silent;
  }
  if (!stream.live() && stream.reader->blocked &&
      tick_ - stream.reader->progress_tick >= ticks(limits_.stall_max)) {
    return &counters_.stalled;
  }
  return nullptr;
}

// Writes `bytes` of the stream's own, unless it stands inside a block or has not taken earlier
// ones.
// False: not written. The stream may be closed after it.
bool Core::write_between_blocks(int fd, Stream& stream, std::string_view bytes) {
  if (!stream.live()) {
    const Reader& reader = *stream.reader;
    if (reader.blocked || reader.partial > 0 || !reader.own.empty()) {
      return false;
    }
  }
  const net::Sent sent = send(fd, bytes);
  if (sent.failed) {
    close(fd, counters_.gone);
    return false;
  }
  stream.written_tick = tick_;
  if (sent.bytes < bytes.size()) {
    Reader& reader = stream.live() ? make_reader(fd, stream, delivered_) : *stream.reader;
    reader.own = bytes.substr(sent.bytes);
    block(fd, reader);
  }
  return true;
}

void Core::end(int fd, std::string_view reason) {
  write_between_blocks(fd, streams_.at(fd), end_block(reason, jittered_retry()));
  if (streams_.find(fd) != nullptr) {
    close(fd, counters_.ended);
  }
}

void Core::replace(int fd) {
  assert(streams_.find(fd) != nullptr);
  close(fd, counters_.replaced);
}

FanOut::Told Core::tell(int fd, std::string_view block) {
  // In a round some streams have its records already, and some have not.
  if (round_.active()) {
    return FanOut::Told::kBusy;
  }
  const bool is_written = write_between_blocks(fd, streams_.at(fd), block);
  if (streams_.find(fd) == nullptr) {
    return FanOut::Told::kGone;
  }
  return is_written ? FanOut::Told::kYes : FanOut::Told::kBusy;
}

void Core::drain(std::chrono::milliseconds duration, std::function<void()> done) {
  assert(!draining_);
  draining_ = true;
  drain_end_ = parts_.clock.steady() + duration;
  drained_ = std::move(done);
  if (counters_.streams.get() == 0) {
    std::exchange(drained_, nullptr)();
    return;
  }
  start_ticks();
}

// Closes the share of the streams that is due by now.
void Core::drain_some() {
  const auto left =
      std::chrono::duration_cast<std::chrono::milliseconds>(drain_end_ - parts_.clock.steady());
  if (left < kTick) {
    drain_due_ = static_cast<double>(counters_.streams.get());
  } else {
    drain_due_ +=
        static_cast<double>(counters_.streams.get()) / (static_cast<double>(left / kTick) + 1);
  }
  for (int seen = 0; drain_due_ >= 1 && seen < streams_.limit(); ++seen) {
    drain_next_ = drain_next_ < streams_.limit() ? drain_next_ : 0;
    const int fd = drain_next_++;
    Stream* const stream = streams_.find(fd);
    if (stream == nullptr) {
      continue;
    }
    --drain_due_;
    write_between_blocks(fd, *stream, retry_block(jittered_retry()));
    if (streams_.find(fd) != nullptr) {
      close(fd, counters_.drained);
    }
  }
}

}  // namespace vrelo::fanout
