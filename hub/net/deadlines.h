// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <memory>
#include <optional>

#include <boost/intrusive/set.hpp>

#include "hub/base/clock.h"
#include "hub/net/alarm.h"

namespace vrelo::net {

class Deadlines;

// A time by which something has to have happened, else on_deadline() is called, once, from the
// shard's loop.
//
// Threads: one, the shard's.
// Cost: no allocation; setting it is a step in a tree of those that are set.
class Deadline {
 public:
  // Lifetime: `deadlines` outlives it.
  explicit Deadline(Deadlines& deadlines);

  Deadline(const Deadline&) = delete;
  Deadline& operator=(const Deadline&) = delete;

  // Replaces the time that was set before.
  void set(base::Clock::Steady when);
  void clear();

 protected:
  ~Deadline();

 private:
  friend class Deadlines;

  virtual void on_deadline() = 0;

  Deadlines& deadlines_;
  base::Clock::Steady when_{};
  boost::intrusive::set_member_hook<> hook_;  // linked: set
};

// All deadlines of a shard. They share one alarm, so that ten thousand idle connections need no
// timer of their own.
//
// Threads: one, the shard's. Lifetime: outlives its deadlines.
class Deadlines {
 public:
  Deadlines(const base::Clock& clock, const MakeAlarm& make_alarm);
  ~Deadlines();

  Deadlines(const Deadlines&) = delete;
  Deadlines& operator=(const Deadlines&) = delete;

 private:
  friend class Deadline;

  struct Earlier {
    bool operator()(const Deadline& a, const Deadline& b) const { return a.when_ < b.when_; }
  };
  using Tree =
      boost::intrusive::multiset<Deadline,
                                 boost::intrusive::member_hook<Deadline,
                                                               boost::intrusive::set_member_hook<>,
                                                               &Deadline::hook_>,
                                 boost::intrusive::compare<Earlier>>;

  void add(Deadline& deadline);
  void ring();
  void rest();

  const base::Clock& clock_;
  Tree tree_;              // of those that are set
  std::size_t users_ = 0;  // all

  // When the alarm rings. It is left as it is when the first deadline is cleared: most are, and the
  // next one is hardly ever the first.
  std::optional<base::Clock::Steady> rings_at_;
  std::unique_ptr<Alarm> alarm_;
};

}  // namespace vrelo::net
