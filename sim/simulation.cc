// SPDX-License-Identifier: Apache-2.0
#include "sim/simulation.h"

#include <algorithm>
#include <cassert>
#include <limits>
#include <utility>

#include <fmt/format.h>

#include "hub/log/event_id.h"

namespace vrelo::sim {
namespace {

using std::chrono_literals::operator""ms;
using std::chrono_literals::operator""s;
using std::chrono_literals::operator""us;

// How long after the last fault everyone must have what is theirs: the longest wait of a reader, a
// drain that may be under way, and a few turns.
constexpr std::chrono::seconds kHealing = 12s;

// By how much the hub may be late: its ticks, and the work between them.
constexpr std::chrono::seconds kSlack = 2s;

// The shortest time after which a reader that takes nothing is closed.
constexpr std::chrono::milliseconds kStallMin = 5000ms;

}  // namespace

Simulation::Simulation(std::uint64_t seed, std::ostream* trace) : trace_(trace), random_(seed) {
  draw_habits();
  draw_chances();
  start_node();
}

Simulation::~Simulation() {
  if (node_ != nullptr) {
    end_node();
  }
}

void Simulation::draw_habits() {
  acts_ = random_.between(100, random_.one_in(10) ? 2000 : 600);
  shards_ = random_.between(1, 3);
  // So much that a round does not take all there is.
  large_ = random_.one_in(8);
  window_bytes_ = std::size_t{1} << (large_ ? random_.between(17, 20) : random_.between(9, 16));
  // So many that a shard serves them in several slices.
  crowd_ = random_.one_in(6);
  readers_max_ = crowd_ ? random_.between(30, 80) : random_.between(1, 20);
  room_max_ = random_.one_in(2) ? 1 << 16 : random_.between(64, 4096);
  steps_max_ = std::uint64_t{1} << random_.between(0, 6);
  data_bits_ = static_cast<unsigned>(large_ ? random_.between(8, 14) : random_.between(4, 11));
  keeps_id_one_in_ = random_.one_in(4) ? 8 : 0;
  schedule_.set_interrupts(random_.one_in(4) ? 0 : random_.between(1, 12));
  const std::chrono::microseconds work_max(random_.one_in(2) ? random_.any_size(12) : 0);
  schedule_.set_work_max(work_max);
  punctual_ = work_max <= 1ms;
  network_.habits = {
      .partial_one_in = random_.one_in(2) ? random_.between(1, 10) : 0,
      .adopt_fails_one_in = random_.one_in(8) ? 10U : 0U,
      .spurious_one_in = random_.one_in(4) ? 50U : 0U,
      .send_max = random_.one_in(2) ? std::chrono::microseconds(400) : std::chrono::microseconds(0),
      .tells_at_half = random_.one_in(2)};
  store_.habits = {.records_max = random_.one_in(3) ? random_.between(1, 60) : 0,
                   .stride_max = random_.one_in(3) ? 4U : 1U,
                   .page_records = random_.one_in(2) ? random_.between(1, 10) : 0,
                   .fails_one_in = random_.one_in(3) ? 10U : 0U};
  if (store_.habits.stride_max == 1 && random_.one_in(2)) {
    store_.keep_in_shipped_log();
    ++tally_["logs that the shipped store kept"];
  }
  limits_ = draw_limits();
  network_.stall_min = kStallMin - kSlack;
  for (std::uint64_t i = 0; i < 4; ++i) {
    grants_.push_back(draw_grant());
  }
}

// A day has some kinds of trouble and not others, so that each is also met alone.
void Simulation::draw_chances() {
  static constexpr std::array<Chance, 21> kChances = {{
      {&Simulation::publish, 300},          {&Simulation::publish_again, 30},
      {&Simulation::readers_join, 80},      {&Simulation::reader_takes, 200},
      {&Simulation::reader_stalls, 30},     {&Simulation::reader_slows, 15},
      {&Simulation::reader_leaves, 15},     {&Simulation::link_breaks, 20},
      {&Simulation::reader_vanishes, 5},    {&Simulation::link_narrows, 20},
      {&Simulation::right_ends, 10},        {&Simulation::reader_is_told, 10},
      {&Simulation::time_passes, 150},      {&Simulation::time_flies, 20},
      {&Simulation::store_goes_away, 10},   {&Simulation::store_fills, 5},
      {&Simulation::retention_removes, 20}, {&Simulation::log_is_replaced, 1},
      {&Simulation::time_of_day_is_set, 5}, {&Simulation::limits_change, 5},
      {&Simulation::node_restarts, 5},
  }};
  for (std::size_t i = 0; i < kChances.size(); ++i) {
    Chance chance = kChances[i];
    // Without the first four nothing would be tried.
    const std::uint64_t factor = random_.below(4);
    chance.weight *= i < 4 ? 1 + factor : factor;
    chances_.push_back(chance);
    chance_sum_ += chance.weight;
  }
}

fanout::FanOutLimits Simulation::draw_limits() {
  const fanout::FanOutLimits limits{.heartbeat = random_.milliseconds(1000, 15'000),
                                    .retry = random_.milliseconds(500, 3000),
                                    .stall_max = random_.between(1, 12) * kStallMin,
                                    .silent_max = random_.milliseconds(20'000, 40'000),
                                    .page_cache_bytes_max = random_.any_size(16)};
  heartbeat_max_ = std::max(heartbeat_max_, limits.heartbeat);
  stall_max_ = std::max(stall_max_, limits.stall_max);
  silent_max_ = std::max(silent_max_, limits.silent_max);
  return limits;
}

auth::GrantPtr Simulation::draw_grant() {
  auth::Grant grant{.publish = {.all = true}, .read_private = {.all = random_.one_in(4)}};
  for (std::uint64_t i = random_.below(3); i > 0 && !grant.read_private.all; --i) {
    grant.read_private.listed.push_back(draw_topic());
  }
  return std::make_shared<const auth::Grant>(std::move(grant));
}

std::string Simulation::run() {
  for (std::size_t i = 0; i < acts_ && fault_.empty(); ++i) {
    act();
    store_recovers();
    for (std::uint64_t steps = random_.below(steps_max_ + 1); steps > 0; --steps) {
      schedule_.run_one();
    }
    readers_come_back();
    find_fault();
  }
  if (fault_.empty()) {
    heal();
  }
  if (node_ != nullptr) {
    end_node();
  }
  return fault_;
}

void Simulation::act() {
  if (node_ == nullptr && schedule_.now() >= node_returns_at_) {
    start_node();
    return;
  }
  if (node_ != nullptr && node_->drained()) {
    end_node();
    return;
  }
  std::uint64_t at = random_.below(chance_sum_);
  for (const Chance& chance : chances_) {
    if (at < chance.weight) {
      (this->*chance.act)();
      return;
    }
    at -= chance.weight;
  }
}

void Simulation::start_node() {
  note(
      fmt::format("a node with {} shards and a window of {} bytes starts", shards_, window_bytes_));
  node_ = std::make_unique<Node>(
      Surroundings{.schedule = schedule_, .random = random_, .network = network_, .store = store_},
      shards_, window_bytes_, limits_);
}

void Simulation::end_node() {
  const fanout::FanOutStats stats = node_->stats();
  tally_["rounds"] += stats.rounds;
  tally_["pieces from the window"] += stats.window_hits;
  tally_["pages from storage"] += stats.storage_reads;
  tally_["pages from the cache"] += stats.page_cache_hits;
  tally_["streams"] += stats.opened;
  tally_["streams closed: gone"] += stats.closed_gone;
  tally_["streams closed: silent"] += stats.closed_silent;
  tally_["streams closed: stalled"] += stats.closed_stalled;
  tally_["streams closed: record gone"] += stats.closed_record_gone;
  tally_["streams closed: drain"] += stats.closed_drain;
  tally_["streams closed: ended"] += stats.closed_ended;
  tally_["streams closed: replaced"] += stats.closed_replaced;
  if (network_.closed_for_nothing > stats.closed_record_gone) {
    fail("a stream was closed for nothing");
  }
  network_.closed_for_nothing = 0;
  network_.closing = true;
  node_ = nullptr;
  network_.closing = false;
}

void Simulation::time_passes() {
  schedule_.pass(std::chrono::microseconds(random_.any_size(18)));
}

void Simulation::time_flies() {
  pass(std::chrono::milliseconds(random_.any_size(16)));
}

// Does all there is to do before time passes. A node that is slow is never done, so there is an
// end.
void Simulation::settle(base::Clock::Steady end) {
  do {
    while (schedule_.run_one() && schedule_.now() <= end) {
    }
  } while (readers_take_all() && schedule_.now() <= end);
}

// Lets time pass, with all that happens in it.
void Simulation::pass(std::chrono::nanoseconds time) {
  const base::Clock::Steady end = schedule_.now() + time;
  while (fault_.empty()) {
    settle(end);
    slow_readers_take();
    readers_come_back();
    find_fault();
    const base::Clock::Steady now = schedule_.now();
    base::Clock::Steady next = end;
    if (node_ != nullptr) {
      next = std::min(next, node_->next_alarm().value_or(end));
    }
    for (const auto& reader : readers_) {
      if (!reader->is_connected()) {
        next = std::min(next, reader->returns_at());
      }
    }
    if (now >= end) {
      break;
    }
    schedule_.pass(std::max(next - now, std::chrono::nanoseconds(1us)));
  }
  check_links();
}

// What ought to have been closed or written by now? A hub that is slow counts its time in ticks
// that are late.
void Simulation::check_links() {
  if (node_ == nullptr || !punctual_) {
    return;
  }
  const std::chrono::nanoseconds look = std::max(heartbeat_max_ * 6 / 5, 5000ms) + kSlack;
  if (network_.vanished_for() > silent_max_ + look + 10'000ms) {  // a probe may be what it owes
    fail("a reader that vanished still has a stream");
  }
  // What has to come from the store first may be late, and inside a block nothing else is written.
  const bool store_answers = !store_.habits.away && schedule_.now() - store_back_at_ > look;
  // That it takes nothing shows when there is something to write, the next heartbeat at the latest.
  if (store_answers && network_.stuck_for() > stall_max_ + 2 * look) {
    fail("a reader that takes nothing still has a stream");
  }
  if (store_answers && network_.idle_for() > heartbeat_max_ * 6 / 5 + kSlack) {
    fail("a stream is silent for too long");
  }
  if (node_->draining() && !node_->drained() && schedule_.now() > drain_end_ + kSlack) {
    fail("the node still drains");
  }
}

void Simulation::find_fault() {
  for (const auto& reader : readers_) {
    if (!reader->witness().fault().empty()) {
      fail(fmt::format("reader {}: {}", reader->number(), reader->witness().fault()));
    }
  }
}

// All trouble ends. The readers that are there come back, and get what they have not seen.
void Simulation::heal() {
  note("all trouble ends");
  store_.habits.away = false;
  store_.habits.full = false;
  network_.habits = {};
  schedule_.set_work_max({});
  if (node_ != nullptr && node_->draining()) {
    pass(6s);
    end_node();
  }
  if (node_ == nullptr) {
    start_node();
  }
  for (const auto& reader : readers_) {
    reader->stalled = false;
    reader->slow = false;
    if (reader->is_connected()) {
      reader->link().room = Link::kEndless;
    }
  }
  pass(kHealing);
  if (fault_.empty()) {
    check_complete();
  }
  for (const auto& reader : readers_) {
    if (reader->is_connected()) {
      reader->disconnect(schedule_.now());
    }
    count(*reader);
  }
  readers_.clear();
  if (fault_.empty()) {
    check_closed();
  }
}

void Simulation::count(const Reader& reader) {
  digest_ ^= reader.digest();
  const Reader::Seen& seen = reader.seen();
  tally_["events seen"] += seen.events;
  tally_["gaps seen at the beginning"] += seen.gaps_at_begin;
  tally_["gaps seen later"] += seen.gaps;
  tally_["moves of the cursor seen"] += seen.moves;
  tally_["comments seen"] += seen.comments;
  tally_["ends seen"] += seen.ends;
  tally_["words of an end to come seen"] += seen.told;
}

void Simulation::check_complete() {
  for (const auto& reader : readers_) {
    if (!reader->is_connected()) {
      fail(fmt::format("reader {} cannot come back", reader->number()));
    } else if (const std::string unread = reader->witness().unread(); !unread.empty()) {
      fail(fmt::format("reader {} was never told of {}", reader->number(), unread));
    }
  }
}

// Nothing is left of streams that have ended.
void Simulation::check_closed() {
  pass(silent_max_ + heartbeat_max_ * 2 + 15'000ms);
  if (network_.streams() != 0 || node_->stats().streams != 0) {
    fail("streams are left whose readers are gone");
  }
}

std::uint64_t Simulation::digest() const {
  return digest_ + static_cast<std::uint64_t>(schedule_.now().time_since_epoch().count());
}

void Simulation::note(const std::string& what) {
  if (trace_ != nullptr) {
    *trace_ << schedule_.now().time_since_epoch() / 1us << " us: " << what << '\n';
  }
}

void Simulation::fail(std::string fault) {
  if (fault_.empty()) {
    fault_ = std::move(fault);
  }
}

}  // namespace vrelo::sim
