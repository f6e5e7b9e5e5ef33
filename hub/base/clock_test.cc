// SPDX-License-Identifier: Apache-2.0
#include "hub/base/clock.h"

#include <condition_variable>
#include <mutex>
#include <thread>

#include <gtest/gtest.h>

#include "hub/base/clock_testing.h"

namespace vrelo::base {
namespace {

using std::chrono::hours;

TEST(ManualClock, wakes_who_waits_for_the_time_that_it_is_moved_to) {
  ManualClock clock;
  const Clock::Steady until = clock.steady() + hours(2);
  std::mutex mutex;
  std::condition_variable wake;
  std::thread waiter([&] {
    std::unique_lock lock(mutex);
    while (clock.steady() < until) {
      clock.wait_until(lock, wake, until);
    }
  });
  clock.advance(hours(1));
  clock.advance(hours(1));
  waiter.join();
}

TEST(ManualClock, does_not_wait_for_a_time_that_is_past) {
  const ManualClock clock;
  std::mutex mutex;
  std::condition_variable wake;
  std::unique_lock lock(mutex);
  clock.wait_until(lock, wake, clock.steady());
}

TEST(SystemClock, waits_until_a_time_or_a_notification) {
  const SystemClock clock;
  std::mutex mutex;
  std::condition_variable wake;
  std::unique_lock lock(mutex);
  const Clock::Steady until = clock.steady() + std::chrono::milliseconds(1);
  while (clock.steady() < until) {
    clock.wait_until(lock, wake, until);
  }
  bool notified = false;
  std::thread notifier([&] {
    const std::lock_guard notifier_lock(mutex);
    notified = true;
    wake.notify_one();
  });
  while (!notified) {
    clock.wait_until(lock, wake, Clock::Steady::max());
  }
  lock.unlock();
  notifier.join();
}

}  // namespace
}  // namespace vrelo::base
