// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>

#include "hub/base/clock.h"

namespace vrelo::net {

// Calls back once at a time. What a shard does later goes through alarms, so that the simulator
// decides when that is.
//
// Threads: one, the shard's; the callback runs there too, from its loop.
// Lifetime: after destruction nothing is called any more.
class Alarm {
 public:
  virtual ~Alarm() = default;

  // Rings at `when`, or at once if that is past; replaces the time that was set before.
  virtual void set(base::Clock::Steady when) = 0;

  // Does not ring any more until it is set again.
  virtual void cancel() = 0;
};

// Makes an alarm that calls `on_ring`, on the shard that it is for.
using MakeAlarm = std::function<std::unique_ptr<Alarm>(std::function<void()> on_ring)>;

}  // namespace vrelo::net
