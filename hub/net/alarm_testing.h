// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "hub/base/clock_testing.h"
#include "hub/net/alarm.h"

namespace vrelo::net {

// Alarms that ring when the test moves the clock to them.
class FakeAlarms {
 public:
  explicit FakeAlarms(base::ManualClock& clock) : clock_(clock) {}

  MakeAlarm maker() {
    return [this](std::function<void()> on_ring) -> std::unique_ptr<Alarm> {
      return std::make_unique<Fake>(*this, std::move(on_ring));
    };
  }

  // Rings what is due, once each. False: nothing was.
  bool ring_due() {
    std::vector<Fake*> due;
    for (Fake* const alarm : alarms_) {
      if (alarm->when_ && *alarm->when_ <= clock_.steady()) {
        due.push_back(alarm);
      }
    }
    for (Fake* const alarm : due) {
      if (alarms_.contains(alarm) && std::exchange(alarm->when_, std::nullopt)) {
        const std::function<void()> on_ring = alarm->on_ring_;  // may destroy the alarm
        on_ring();
      }
    }
    return !due.empty();
  }

  std::optional<base::Clock::Steady> next() const {
    std::optional<base::Clock::Steady> next;
    for (const Fake* const alarm : alarms_) {
      if (alarm->when_ && (!next || *alarm->when_ < *next)) {
        next = alarm->when_;
      }
    }
    return next;
  }

 private:
  class Fake final : public Alarm {
   public:
    Fake(FakeAlarms& alarms, std::function<void()> on_ring)
        : alarms_(alarms), on_ring_(std::move(on_ring)) {
      alarms_.alarms_.insert(this);
    }
    ~Fake() override { alarms_.alarms_.erase(this); }

    void set(base::Clock::Steady when) override { when_ = when; }
    void cancel() override { when_ = std::nullopt; }

    FakeAlarms& alarms_;
    std::function<void()> on_ring_;
    std::optional<base::Clock::Steady> when_;
  };

  base::ManualClock& clock_;
  std::set<Fake*> alarms_;
};

}  // namespace vrelo::net
