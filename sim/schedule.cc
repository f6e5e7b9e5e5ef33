// SPDX-License-Identifier: Apache-2.0
#include "sim/schedule.h"

#include <algorithm>
#include <cassert>
#include <functional>
#include <utility>

namespace vrelo::sim {
namespace {

// How many threads may stand in the middle of a step, one having been interrupted by the next.
constexpr int kDepthMax = 3;

// How many steps others take while a thread is interrupted, at most.
constexpr std::uint64_t kInterruptSteps = 12;

}  // namespace

class Alarms::One final : public net::Alarm {
 public:
  One(Alarms& alarms, std::function<void()> on_ring)
      : alarms_(alarms), on_ring_(std::move(on_ring)) {
    alarms_.alarms_.push_back(this);
  }
  ~One() override { std::erase(alarms_.alarms_, this); }

  One(const One&) = delete;
  One& operator=(const One&) = delete;

  void set(base::Clock::Steady when) override { when_ = when; }
  void cancel() override { when_ = std::nullopt; }

 private:
  friend class Alarms;

  Alarms& alarms_;
  std::function<void()> on_ring_;
  std::optional<base::Clock::Steady> when_;
};

net::MakeAlarm Alarms::maker() {
  return [this](std::function<void()> on_ring) -> std::unique_ptr<net::Alarm> {
    return std::make_unique<One>(*this, std::move(on_ring));
  };
}

bool Alarms::ring_one() {
  for (One* const alarm : alarms_) {
    if (alarm->when_ && *alarm->when_ <= schedule_.now()) {
      alarm->when_ = std::nullopt;
      const std::function<void()> on_ring = alarm->on_ring_;  // may destroy the alarm
      on_ring();
      return true;
    }
  }
  return false;
}

std::optional<base::Clock::Steady> Alarms::next() const {
  std::optional<base::Clock::Steady> next;
  for (const One* const alarm : alarms_) {
    if (alarm->when_ && (!next || *alarm->when_ < *next)) {
      next = alarm->when_;
    }
  }
  return next;
}

void Schedule::add(Thread& thread) {
  threads_.push_back({.thread = &thread});
}

void Schedule::remove(Thread& thread) {
  assert(depth_ == 0);
  std::erase_if(threads_, [&thread](const Entry& entry) { return entry.thread == &thread; });
}

bool Schedule::run_one() {
  if (threads_.empty()) {
    return false;
  }
  const std::size_t first = random_.below(threads_.size());
  for (std::size_t i = 0; i < threads_.size(); ++i) {
    // By index: threads do not come or go inside a step.
    const std::size_t at = (first + i) % threads_.size();
    if (threads_[at].running) {
      continue;
    }
    threads_[at].running = true;
    const bool worked = threads_[at].thread->step();
    threads_[at].running = false;
    if (worked) {
      return true;
    }
  }
  return false;
}

void Schedule::run_all() {
  while (run_one()) {
  }
}

// A thread looks at the clock.
base::Clock::Steady Schedule::look() {
  interrupt();
  if (work_max_.count() > 0) {
    const auto work = random_.below(static_cast<std::uint64_t>(work_max_.count()));
    pass(std::chrono::microseconds(work));
  }
  return now_;
}

base::Clock::Wall Schedule::VirtualClock::wall() const {
  return Wall(std::chrono::seconds(1'700'000'000)) + schedule_.now().time_since_epoch() +
         schedule_.wall_step_;
}

void Schedule::VirtualClock::wait_until(std::unique_lock<std::mutex>& /*lock*/,
                                        std::condition_variable& /*wake*/,
                                        Steady /*until*/) const {
  assert(false);  // threads of the simulation do not wait
}

void Schedule::interrupt() {
  if (depth_ == kDepthMax || !random_.one_in(interrupts_one_in_)) {
    return;
  }
  ++depth_;
  for (std::uint64_t steps = random_.between(1, kInterruptSteps); steps > 0 && run_one(); --steps) {
  }
  --depth_;
}

}  // namespace vrelo::sim
