// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "hub/auth/grant.h"
#include "hub/base/clock.h"
#include "hub/base/task.h"
#include "hub/fanout/blocks.h"
#include "hub/fanout/window.h"
#include "hub/log/log.h"
#include "hub/net/alarm.h"
#include "hub/net/stream_sockets.h"

namespace vrelo::fanout {

struct Group;
class Core;

// What a shard's fan-out works with.
//
// Lifetime: the references outlive the FanOut.
struct FanOutParts {
  Window& window;
  std::size_t shard;  // its number in the window's interest, from 0
  log::Log& log;      // the shard's own
  net::StreamSockets& sockets;
  const base::Clock& clock;
  net::MakeAlarm make_alarm;
  base::Executor executor;  // the shard's
  std::uint64_t seed;       // for jitter and rotation
};

// What an operator may set, also while streams are open.
struct FanOutLimits {
  std::chrono::milliseconds heartbeat{15'000};   // ± 20 % per stream
  std::chrono::milliseconds retry{3'000};        // ± 30 % per stream
  std::chrono::milliseconds stall_max{300'000};  // a peer that took no byte for this long is closed

  // A peer that acknowledged nothing for this long is gone, if it has owed something for all of
  // this time but 15 s.
  std::chrono::milliseconds silent_max{40'000};
  std::size_t page_cache_bytes_max = std::size_t{16} << 20;  // pages of older history, encoded
};

// Counts of one shard since its start, but for `streams` and `groups`.
struct FanOutStats {
  std::uint64_t streams = 0;  // open now
  std::uint64_t groups = 0;   // of them: those with the same selectors and grant are one
  std::uint64_t opened = 0;
  std::uint64_t rounds = 0;
  std::uint64_t sends = 0;
  std::uint64_t sent_bytes = 0;
  std::uint64_t wakes = 0;            // times that the window asked for a round
  std::uint64_t window_hits = 0;      // pieces of history read from the window
  std::uint64_t page_cache_hits = 0;  // from pages that another reader had brought
  std::uint64_t storage_reads = 0;    // from the log
  std::uint64_t failed_reads = 0;     // of those; the log did not answer
  std::uint64_t gaps = 0;
  std::uint64_t closed_gone = 0;         // the peer closed, or the connection broke
  std::uint64_t closed_silent = 0;       // the peer acknowledged nothing
  std::uint64_t closed_stalled = 0;      // the peer took nothing
  std::uint64_t closed_record_gone = 0;  // in the middle of a block whose record retention removed
  std::uint64_t closed_drain = 0;
  std::uint64_t closed_ended = 0;     // the reader's right to it ended
  std::uint64_t closed_replaced = 0;  // the reader came back on another connection
  std::uint64_t closed_log = 0;       // the log was stopped
};

// A stream's place among those with the same selectors and grant. While it exists, the window wakes
// the shard for each record that the selectors may want.
//
// Lifetime: within that of the FanOut it came from.
class Membership {
 public:
  Membership(Core& core, Group& group, std::string_view id_suffix)
      : core_(&core), group_(&group), id_suffix_(id_suffix) {}
  Membership(Membership&& other) noexcept
      : core_(other.core_),
        group_(std::exchange(other.group_, nullptr)),
        id_suffix_(std::move(other.id_suffix_)) {}
  Membership& operator=(Membership&&) = delete;
  ~Membership();

 private:
  friend class Core;

  Core* core_;
  Group* group_;  // nullptr: given away
  std::string id_suffix_;
};

// Delivers the records of the log to the streams of one shard.
//
// A stream whose socket takes what it is given is live: it gets each round's records, in one write.
// One that is new, or whose socket was full, is a reader by cursor: it reads the window, or the log
// where the window no longer reaches, at its own pace, and becomes live when it has caught up.
//
// Invariant: a stream gets the records after its start that match its selectors and that its grant
// may read, each once, in the log's order, but for those that a gap block announces as gone.
// Invariant: nothing is written inside a block.
// Threads: one, the shard's, but for wake() and stats().
// Lifetime: destroyed when its log was stopped and the shard's loop has run dry.
// Cost: a live stream costs one write per round and about 60 bytes; no allocation, copy, lock or
// wake-up per event and stream.
class FanOut final : public net::StreamEvents {
 public:
  FanOut(FanOutParts parts, FanOutLimits limits);
  ~FanOut();

  FanOut(const FanOut&) = delete;
  FanOut& operator=(const FanOut&) = delete;

  // First step of a stream: from here on, no record that `selection` wants is missed. `id_suffix`:
  // what each id of the stream will end in, without line breaks; "" for most.
  Membership enter(const log::Selection& selection,
                   auth::GrantPtr grant,
                   std::string_view id_suffix = {});

  // Second step: writes `opening` (the HTTP head and the first block) to `fd` at once, and streams
  // what follows `start` after it. `fd` is a connected, non-blocking socket, which fan-out owns
  // from here on.
  //
  // Order: `start` is a cursor, or the log's end as it was after enter(); an end that was read
  // before would lose what came between.
  void open(int fd, Membership membership, log::Position start, Hello hello, std::string opening);

  // Counts a gap that the opening of a stream announces; those that come later count by themselves.
  void count_gap();

  // The window's call: there is something for take(). Threads: any.
  void wake();

  log::Log& log();
  const Window& window() const;
  std::chrono::seconds heartbeat() const;      // as a stream's first block announces it
  std::chrono::milliseconds jittered_retry();  // the delay for one stream

  void set_limits(const FanOutLimits& limits);

  // Closes all streams, evenly over `duration`, each after a block with a jittered retry. `done` is
  // called when none is left; streams that open meanwhile are closed too.
  void drain(std::chrono::milliseconds duration, std::function<void()> done);

  // Closes all streams at once, so that the shard's loop runs dry. Called last.
  void close();

  // Closes a stream whose reader has no right to it any more, after a block that says so, unless it
  // takes nothing or stands inside an event. `reason`: as in end_block(). `fd`: of a stream.
  void end(int fd, std::string_view reason);

  // Closes a stream whose reader has come back on another connection. `fd`: of a stream.
  void replace(int fd);

  // Writes `block`, which has no id, to a stream. kBusy: not just now, since the stream stands
  // inside an event or a round is under way; kGone: the stream was closed. `fd`: of a stream.
  enum class Told { kYes, kBusy, kGone };
  Told tell(int fd, std::string_view block);

  void on_writable(int fd) override;
  void on_gone(int fd) override;

  FanOutStats stats() const;  // Threads: any

 private:
  std::shared_ptr<Core> core_;
};

}  // namespace vrelo::fanout
