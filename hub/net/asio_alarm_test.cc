// SPDX-License-Identifier: Apache-2.0
#include "hub/net/asio_alarm.h"

#include <chrono>
#include <memory>
#include <string>

#include <gtest/gtest.h>

#include "hub/net/loopback_testing.h"

namespace vrelo::net {
namespace {

using std::chrono_literals::operator""h;
using std::chrono_literals::operator""ms;

class AsioAlarmTest : public testing::Test {
 protected:
  static base::Clock::Steady now() { return std::chrono::steady_clock::now(); }

  std::unique_ptr<Alarm> make(std::string name) {
    return make_alarm_([this, name = std::move(name)] { rung_ += name; });
  }

  // Does all that is pending, and waits for it.
  void run() {
    loop_.restart();
    loop_.run();
  }

  boost::asio::io_context loop_{1};
  MakeAlarm make_alarm_ = asio_alarms(loop_.get_executor());
  std::string rung_;
};

TEST_F(AsioAlarmTest, rings_once_when_its_time_has_come) {
  const auto alarm = make("a");
  const base::Clock::Steady when = now() + 20ms;
  alarm->set(when);
  run();
  EXPECT_EQ(rung_, "a");
  EXPECT_GE(now(), when);
}

TEST_F(AsioAlarmTest, rings_at_once_but_from_the_loop_when_its_time_is_past) {
  const auto alarm = make("a");
  alarm->set(now() - 1h);
  EXPECT_EQ(rung_, "");
  run();
  EXPECT_EQ(rung_, "a");
}

TEST_F(AsioAlarmTest, rings_at_the_time_that_was_set_last) {
  const auto later = make("later");
  later->set(now());
  later->set(now() + 1h);
  const auto sooner = make("sooner");
  sooner->set(now() + 1h);
  sooner->set(now());
  run_until(loop_, [this] { return !rung_.empty(); });
  run_ready(loop_);
  EXPECT_EQ(rung_, "sooner");
}

TEST_F(AsioAlarmTest, does_not_ring_for_a_time_that_is_over_but_was_replaced) {
  const auto first = make("first");
  const auto second = make("second");
  const auto canceller = make_alarm_([&] {
    // Both waits are over in the same turn of the loop, and can no longer be cancelled.
    rung_ += "canceller";
    first->cancel();
    second->set(now() + 1h);
  });
  const base::Clock::Steady past = now() - 1h;
  canceller->set(past - 1ms);
  first->set(past);
  second->set(past);
  run_ready(loop_);
  EXPECT_EQ(rung_, "canceller");
}

TEST_F(AsioAlarmTest, does_not_keep_the_loop_once_it_is_cancelled_or_gone) {
  const auto cancelled = make("cancelled");
  cancelled->set(now() + 1h);
  cancelled->cancel();
  auto gone = make("gone");
  gone->set(now() + 1h);
  gone.reset();
  run();  // returns
  EXPECT_EQ(rung_, "");
  cancelled->set(now());
  run();
  EXPECT_EQ(rung_, "cancelled");
}

TEST_F(AsioAlarmTest, may_be_set_and_destroyed_from_its_own_callback) {
  std::unique_ptr<Alarm> alarm;
  alarm = make_alarm_([&] {
    rung_ += "a";
    if (rung_ == "a") {
      alarm->set(now());
    } else {
      alarm.reset();
      rung_ += "!";  // what the callback holds is still there
    }
  });
  alarm->set(now());
  run();
  EXPECT_EQ(rung_, "aa!");
}

}  // namespace
}  // namespace vrelo::net
