// SPDX-License-Identifier: Apache-2.0
#include "sse/client/alarm.h"

#include <chrono>
#include <memory>

#include <gtest/gtest.h>
#include <boost/asio/io_context.hpp>

namespace vrelo::sse::client {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;

TEST(SteadyAlarm, rings_once_for_the_last_time_that_was_set) {
  boost::asio::io_context loop(1);
  int rings = 0;
  const auto alarm = steady_alarms(loop.get_executor())([&rings] { ++rings; });
  alarm->set(hours(1));
  alarm->set(milliseconds(0));
  loop.run();
  EXPECT_EQ(rings, 1);
}

TEST(SteadyAlarm, does_not_ring_when_it_was_cancelled) {
  boost::asio::io_context loop(1);
  int rings = 0;
  const auto alarm = steady_alarms(loop.get_executor())([&rings] { ++rings; });
  alarm->set(milliseconds(0));
  alarm->cancel();
  loop.run();
  EXPECT_EQ(rings, 0);
}

TEST(SteadyAlarm, does_not_ring_for_what_was_due_when_it_was_set_anew) {
  boost::asio::io_context loop(1);
  int first_rings = 0;
  int rings = 0;
  std::unique_ptr<Alarm> alarm;
  const auto first = steady_alarms(loop.get_executor())([&] {
    ++first_rings;
    alarm->cancel();  // its callback is due as well, and waits behind this one
  });
  alarm = steady_alarms(loop.get_executor())([&rings] { ++rings; });
  first->set(milliseconds(-2));
  alarm->set(milliseconds(-1));
  loop.run();
  EXPECT_EQ(first_rings, 1);
  EXPECT_EQ(rings, 0);
}

TEST(SteadyAlarm, does_not_ring_after_its_end) {
  boost::asio::io_context loop(1);
  int rings = 0;
  auto alarm = steady_alarms(loop.get_executor())([&rings] { ++rings; });
  alarm->set(milliseconds(0));
  alarm.reset();
  loop.run();
  EXPECT_EQ(rings, 0);
}

}  // namespace
}  // namespace vrelo::sse::client
