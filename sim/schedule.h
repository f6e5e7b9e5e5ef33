// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "hub/base/clock.h"
#include "hub/net/alarm.h"
#include "sim/random.h"

namespace vrelo::sim {

// What would be a thread in the hub: it works in steps, and what other threads do may come between
// any two.
class Thread {
 public:
  // Does one piece of work. False: there was none.
  virtual bool step() = 0;

 protected:
  ~Thread() = default;
};

class Schedule;

// Alarms of one thread, which ring when the schedule lets them.
//
// Lifetime: outlives its alarms, and `schedule` outlives it.
class Alarms {
 public:
  explicit Alarms(const Schedule& schedule) : schedule_(schedule) {}

  Alarms(const Alarms&) = delete;
  Alarms& operator=(const Alarms&) = delete;

  net::MakeAlarm maker();

  // Rings one that is due. False: none was.
  bool ring_one();

  std::optional<base::Clock::Steady> next() const;

 private:
  class One;

  const Schedule& schedule_;
  std::vector<One*> alarms_;  // in the order of their making
};

// Decides whose turn it is, and when time passes. Everything runs in one real thread, and a thread
// of the simulation is interrupted only where it calls something that is simulated: there, others
// may take steps before it goes on. To look at the clock is such a call, and may take time.
class Schedule {
 public:
  using Steady = base::Clock::Steady;

  // Lifetime: `random` outlives the schedule.
  explicit Schedule(Random& random) : random_(random), clock_(*this), clock_under_lock_(*this) {}

  Schedule(const Schedule&) = delete;
  Schedule& operator=(const Schedule&) = delete;

  // Lifetime: `thread` is removed before it ends.
  void add(Thread& thread);
  void remove(Thread& thread);

  // Lets a thread that has something to do take a step. False: there is none.
  bool run_one();

  // Runs until no thread has anything to do before time passes.
  void run_all();

  // Called by what is simulated, in the middle of a thread's step.
  void interrupt();

  // How often interrupt() lets others go first: once in `n` times; 0: never.
  void set_interrupts(std::uint64_t n) { interrupts_one_in_ = n; }

  // How long the work between two looks at the clock may take.
  void set_work_max(std::chrono::microseconds work_max) { work_max_ = work_max; }

  void pass(std::chrono::nanoseconds time) { now_ += time; }

  // Sets the time of day forth or back; steady time does not notice.
  void step_wall(std::chrono::nanoseconds by) { wall_step_ += by; }

  Steady now() const { return now_; }

  // What the hub's code is given.
  const base::Clock& clock() const { return clock_; }

  // For code that looks at it with a lock held: nobody else goes first.
  const base::Clock& clock_under_lock() const { return clock_under_lock_; }

 private:
  class VirtualClock : public base::Clock {
   public:
    explicit VirtualClock(Schedule& schedule) : schedule_(schedule) {}

    Steady steady() const override { return schedule_.look(); }
    Wall wall() const override;
    void wait_until(std::unique_lock<std::mutex>& lock,
                    std::condition_variable& wake,
                    Steady until) const override;

   protected:
    Schedule& schedule_;
  };

  class ClockUnderLock final : public VirtualClock {
   public:
    using VirtualClock::VirtualClock;

    Steady steady() const override { return schedule_.now(); }
  };

  struct Entry {
    Thread* thread = nullptr;
    bool running = false;
  };

  Steady look();

  Random& random_;
  VirtualClock clock_;
  ClockUnderLock clock_under_lock_;
  Steady now_{};
  std::chrono::nanoseconds wall_step_{0};
  std::vector<Entry> threads_;
  std::uint64_t interrupts_one_in_ = 0;
  std::chrono::microseconds work_max_{0};
  int depth_ = 0;  // of threads that wait in interrupt() for others
};

}  // namespace vrelo::sim
