// SPDX-License-Identifier: Apache-2.0
#include "hub/net/deadlines.h"

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "hub/net/alarm_testing.h"

namespace vrelo::net {
namespace {

using std::chrono_literals::operator""s;
using testing::ElementsAre;
using testing::IsEmpty;

class TestDeadline final : public Deadline {
 public:
  TestDeadline(Deadlines& deadlines, std::function<void()> passed)
      : Deadline(deadlines), passed_(std::move(passed)) {}

 private:
  void on_deadline() override { passed_(); }

  std::function<void()> passed_;
};

class DeadlinesTest : public testing::Test {
 protected:
  void advance(std::chrono::nanoseconds by) {
    clock_.advance(by);
    while (alarms_.ring_due()) {
    }
  }

  base::Clock::Steady in(std::chrono::nanoseconds time) const { return clock_.steady() + time; }

  // One that writes down its name when it has passed.
  std::unique_ptr<TestDeadline> make(const std::string& name) {
    return std::make_unique<TestDeadline>(deadlines_, [this, name] { passed_.push_back(name); });
  }

  base::ManualClock clock_;
  FakeAlarms alarms_{clock_};
  Deadlines deadlines_{clock_, alarms_.maker()};
  std::vector<std::string> passed_;
};

TEST_F(DeadlinesTest, tells_once_that_a_deadline_has_passed) {
  const auto deadline = make("a");
  deadline->set(in(10s));
  advance(9s);
  EXPECT_THAT(passed_, IsEmpty());
  advance(1s);
  EXPECT_THAT(passed_, ElementsAre("a"));
  advance(100s);
  EXPECT_THAT(passed_, ElementsAre("a"));
}

TEST_F(DeadlinesTest, tells_at_once_of_a_deadline_in_the_past_but_from_the_loop) {
  advance(10s);
  const auto deadline = make("a");
  deadline->set(in(-5s));
  EXPECT_THAT(passed_, IsEmpty());
  advance(0s);
  EXPECT_THAT(passed_, ElementsAre("a"));
}

TEST_F(DeadlinesTest, tells_in_the_order_of_time) {
  const auto a = make("a");
  const auto b = make("b");
  const auto c = make("c");
  a->set(in(3s));
  b->set(in(1s));
  c->set(in(2s));
  advance(2s);
  EXPECT_THAT(passed_, ElementsAre("b", "c"));
  advance(1s);
  EXPECT_THAT(passed_, ElementsAre("b", "c", "a"));
}

TEST_F(DeadlinesTest, forgets_the_time_that_was_set_before) {
  const auto a = make("a");
  const auto b = make("b");
  const auto cleared = make("cleared");
  a->set(in(1s));
  a->set(in(5s));
  b->set(in(5s));
  b->set(in(1s));
  cleared->set(in(1s));
  cleared->clear();
  cleared->clear();
  advance(1s);
  EXPECT_THAT(passed_, ElementsAre("b"));
  advance(4s);
  EXPECT_THAT(passed_, ElementsAre("b", "a"));
}

TEST_F(DeadlinesTest, tells_nothing_of_one_that_is_destroyed) {
  auto deadline = make("a");
  const auto other = make("other");
  deadline->set(in(1s));
  deadline.reset();
  advance(1s);
  EXPECT_THAT(passed_, IsEmpty());
}

TEST_F(DeadlinesTest, lets_a_deadline_set_itself_anew_and_keeps_the_others_in_time) {
  TestDeadline* self = nullptr;
  TestDeadline first(deadlines_, [&] {
    passed_.push_back("first");
    self->set(in(30s));
  });
  self = &first;
  const auto other = make("other");
  first.set(in(1s));
  other->set(in(2s));
  advance(1s);
  EXPECT_THAT(passed_, ElementsAre("first"));
  advance(1s);
  EXPECT_THAT(passed_, ElementsAre("first", "other"));
  advance(29s);
  EXPECT_THAT(passed_, ElementsAre("first", "other", "first"));
}

TEST_F(DeadlinesTest, lets_a_deadline_change_the_others_when_it_has_passed) {
  auto destroyed = make("destroyed");
  const auto cleared = make("cleared");
  const auto moved = make("moved");
  TestDeadline first(deadlines_, [&] {
    destroyed.reset();
    cleared->clear();
    moved->set(in(5s));
  });
  first.set(in(1s));
  destroyed->set(in(2s));
  cleared->set(in(2s));
  moved->set(in(2s));
  advance(2s);  // all four at the same ring
  EXPECT_THAT(passed_, IsEmpty());
  advance(5s);
  EXPECT_THAT(passed_, ElementsAre("moved"));
}

TEST_F(DeadlinesTest, lets_a_deadline_set_or_destroy_itself_when_it_has_passed) {
  int times = 0;
  std::unique_ptr<TestDeadline> deadline;
  deadline = std::make_unique<TestDeadline>(deadlines_, [&] {
    if (++times < 3) {
      deadline->set(in(1s));
    } else {
      deadline.reset();
    }
  });
  deadline->set(in(1s));
  advance(1s);
  EXPECT_EQ(times, 1);
  advance(1s);
  EXPECT_EQ(times, 2);
  advance(1s);
  EXPECT_EQ(deadline, nullptr);
}

TEST_F(DeadlinesTest, needs_no_alarm_once_nobody_uses_it) {
  auto deadline = make("a");
  deadline->set(in(75s));
  EXPECT_EQ(alarms_.next(), in(75s));
  deadline.reset();
  EXPECT_EQ(alarms_.next(), std::nullopt);
}

// Counts how often it is set.
class CountingAlarm final : public Alarm {
 public:
  explicit CountingAlarm(int& times) : times_(times) {}

  void set(base::Clock::Steady /*when*/) override { ++times_; }
  void cancel() override {}

 private:
  int& times_;
};

TEST(Deadlines, share_one_alarm_that_is_set_as_rarely_as_can_be) {
  const base::ManualClock clock;
  int alarms = 0;
  int times = 0;
  Deadlines deadlines(clock, [&](const std::function<void()>& /*on_ring*/) {
    ++alarms;
    return std::make_unique<CountingAlarm>(times);
  });
  std::vector<std::unique_ptr<TestDeadline>> all;
  for (int i = 0; i < 1000; ++i) {
    all.push_back(std::make_unique<TestDeadline>(deadlines, [] {}));
    all.back()->set(clock.steady() + 10s);
    all.back()->set(clock.steady() + 75s);  // it has become idle
  }
  EXPECT_EQ(alarms, 1);
  EXPECT_EQ(times, 1);
}

TEST(DeadlinesDeathTest, must_outlive_their_users) {
  EXPECT_DEATH(
      {
        base::ManualClock clock;
        FakeAlarms alarms(clock);
        auto deadlines = std::make_unique<Deadlines>(clock, alarms.maker());
        const TestDeadline deadline(*deadlines, [] {});
        deadlines.reset();
      },
      "users_ == 0");
}

}  // namespace
}  // namespace vrelo::net
