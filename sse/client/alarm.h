// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <functional>
#include <memory>

#include "sse/client/task.h"

namespace vrelo::sse::client {

// Calls back once at a time. All that the client does later goes through alarms, so that in tests
// time passes when they say so.
//
// Threads: one, that of the loop; the callback runs there too, and not inside set() or cancel().
// Lifetime: after destruction nothing is called any more.
class Alarm {
 public:
  virtual ~Alarm() = default;

  // Rings when `delay` has passed; replaces what was set before.
  virtual void set(std::chrono::milliseconds delay) = 0;

  // Does not ring any more until it is set again.
  virtual void cancel() = 0;
};

// Makes an alarm that calls `on_ring`.
using MakeAlarm = std::function<std::unique_ptr<Alarm>(std::function<void()> on_ring)>;

// Makes alarms of real time.
//
// Lifetime: the loop of `executor` must outlive them.
MakeAlarm steady_alarms(const Executor& executor);

}  // namespace vrelo::sse::client
