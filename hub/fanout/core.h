// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include <boost/unordered/unordered_flat_map.hpp>

#include "hub/fanout/fan_out.h"
#include "hub/fanout/pace.h"
#include "hub/fanout/page_cache.h"
#include "hub/fanout/round.h"
#include "hub/fanout/stream.h"
#include "hub/fanout/topic_index.h"
#include "hub/fanout/wheel.h"

namespace vrelo::fanout {

// What FanOut does, in three files: core.cc opens and ends streams and runs the rounds,
// core_readers.cc serves readers by cursor, core_care.cc keeps idle streams alive, finds dead ones,
// and drains.
//
// `delivered_` ties them together: every record up to it has been given to the live streams. A
// reader reads up to it, never beyond, so that it becomes live at exactly that point.
class Core final : public std::enable_shared_from_this<Core> {
 public:
  Core(FanOutParts parts, FanOutLimits limits);

  Core(const Core&) = delete;
  Core& operator=(const Core&) = delete;

  // As in FanOut.
  Membership enter(const log::Selection& selection,
                   auth::GrantPtr grant,
                   std::string_view id_suffix);
  void leave(Group& group);
  void open(int fd, Membership membership, log::Position start, Hello hello, std::string opening);
  void count_gap() { counters_.gaps.add(1); }
  void wake();
  void on_writable(int fd);
  void on_gone(int fd);
  void close_all();
  std::chrono::milliseconds jittered_retry();
  void set_limits(const FanOutLimits& limits);
  void end(int fd, std::string_view reason);
  void replace(int fd);
  FanOut::Told tell(int fd, std::string_view block);
  void drain(std::chrono::milliseconds duration, std::function<void()> done);
  FanOutStats stats() const;

  const FanOutParts parts_;
  FanOutLimits limits_;

 private:
  using Steady = base::Clock::Steady;

  // Counts of one thread that any other may read.
  struct Counter {
    std::atomic<std::uint64_t> value{0};
    void add(std::uint64_t n) {
      value.store(value.load(std::memory_order_relaxed) + n, std::memory_order_relaxed);
    }
    std::uint64_t get() const { return value.load(std::memory_order_relaxed); }
  };
  struct Counters {
    Counter streams, groups, opened, rounds, sends, sent_bytes, wakes, window_hits, page_cache_hits,
        storage_reads, failed_reads, gaps, gone, silent, stalled, record_gone, drained, ended,
        replaced, log_stopped;
  };

  // A slice ends after this much work, so that the loop can serve everything else.
  static constexpr std::chrono::microseconds kSlice{1000};
  static constexpr std::chrono::microseconds kSliceBesideRound{250};  // of who comes late to it
  static constexpr std::size_t kSliceSends = 256;

  // core.cc
  void request_round();
  void start_round();
  void run_round();
  bool match_slice();
  bool send_slice();
  void end_round();
  void overrun();
  bool slice_over(Steady begin) const { return parts_.clock.steady() - begin >= kSlice; }
  void make_live(int fd, Stream& stream);
  Reader& make_reader(int fd, Stream& stream, log::Position cursor);
  std::string_view tail_of(int fd, const Group& group) const;
  std::string_view id_suffix_of(int fd, const Stream& stream) const;
  void close(int fd, Counter& reason);
  template <typename Bytes>
  net::Sent send(int fd, const Bytes& bytes);

  // core_readers.cc
  struct Fetch {
    log::Selection selection;
    log::Position after;
    std::vector<int> waiting;
  };
  using Fetches = std::multimap<std::size_t, Fetch>;  // by the hashes of their selections
  enum class Step { kGoOn, kWait, kClosed };
  void enqueue(int fd, Reader& reader);
  void schedule_readers();
  void serve_readers();
  void step(int fd);
  Step send_own(int fd, Stream& stream);
  Step send_next(int fd, Stream& stream);
  Step send_found(int fd, Stream& stream, log::Position next);
  bool find_next(Stream& stream, log::Position& next);
  void fetch(int fd, Stream& stream);
  base::Task<void> run_fetch(Fetches::iterator at);
  void page_arrived(Fetches::iterator at, boost::system::result<log::Page> page);
  void arrive(int fd, Stream& stream);
  void announce_gap(int fd, Stream& stream);
  void block(int fd, Reader& reader);

  // core_care.cc
  void start_ticks();
  void on_tick();
  void care(int fd);
  void care_idle(int fd, Stream& stream);
  void note_progress(Reader& reader, const net::Peer& peer) const;
  std::uint32_t silence(Stream& stream, const net::Peer& peer) const;
  Counter* death(const Stream& stream, const net::Peer& peer, std::uint32_t silence);
  bool write_between_blocks(int fd, Stream& stream, std::string_view bytes);
  std::uint32_t heartbeat_ticks(int fd, const Stream& stream) const;
  std::uint32_t first_look(int fd, const Stream& stream) const;
  std::uint32_t ticks(std::chrono::milliseconds duration) const;
  void drain_some();

  Counters counters_;
  std::mt19937_64 random_;
  TopicIndex index_;
  StreamTable streams_;

  log::Position delivered_;
  Round round_;
  bool round_scheduled_ = false;
  bool round_wanted_ = false;  // asked for while one was on its way
  log::Position round_end_;
  bool round_more_ = false;
  std::chrono::nanoseconds round_cost_{0};
  Pace pace_;
  Steady next_round_{};
  std::unique_ptr<net::Alarm> round_alarm_;

  PageCache pages_;
  Fetches fetches_;
  std::deque<int> queue_;  // readers whose turn comes
  bool queue_scheduled_ = false;
  std::vector<int> waiting_;   // readers that have reached delivered_, until the round has ended
  std::vector<int> retrying_;  // readers whose page could not be read, until the next tick
  std::vector<EncodedPtr> found_;
  std::vector<TopicView> topics_;
  base::AskedTopics asked_;
  std::vector<iovec> pieces_;

  // What each block of a stream ends in whose ids are its own, in place of kBlockEnd.
  boost::unordered_flat_map<int, std::string> tails_;

  Wheel wheel_;
  Steady tick_at_{};  // when the next one is due
  std::uint32_t tick_ = 0;
  bool ticking_ = false;
  std::unique_ptr<net::Alarm> tick_alarm_;

  bool draining_ = false;
  Steady drain_end_{};
  int drain_next_ = 0;
  double drain_due_ = 0;  // streams, and the part of one that is not due yet
  std::function<void()> drained_;
};

}  // namespace vrelo::fanout
