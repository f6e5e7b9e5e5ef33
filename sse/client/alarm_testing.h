// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "sse/client/alarm.h"

namespace vrelo::sse::client {

// Alarms of a time that stands still until the test lets it pass.
class ManualAlarms {
 public:
  MakeAlarm maker() {
    return [this](std::function<void()> on_ring) -> std::unique_ptr<Alarm> {
      return std::make_unique<ManualAlarm>(*this, std::move(on_ring));
    };
  }

  // How long it is until the first alarm; nullopt: none is set.
  std::optional<std::chrono::milliseconds> next() const {
    std::optional<std::chrono::milliseconds> next;
    for (const ManualAlarm* alarm : alarms_) {
      if (alarm->rings_at && (!next || *alarm->rings_at - now_ < *next)) {
        next = *alarm->rings_at - now_;
      }
    }
    return next;
  }

  // Lets time pass, and rings what is due, in order.
  void advance(std::chrono::milliseconds by) {
    const std::chrono::milliseconds end = now_ + by;
    for (auto due = next(); due && now_ + *due <= end; due = next()) {
      now_ += std::max(*due, std::chrono::milliseconds(0));
      const auto first = std::find_if(alarms_.begin(), alarms_.end(), [this](const auto* alarm) {
        return alarm->rings_at && *alarm->rings_at <= now_;
      });
      (*first)->rings_at.reset();
      (*first)->on_ring();
    }
    now_ = end;
  }

 private:
  struct ManualAlarm final : Alarm {
    ManualAlarm(ManualAlarms& owner, std::function<void()> ring)
        : alarms(owner), on_ring(std::move(ring)) {
      alarms.alarms_.push_back(this);
    }
    ~ManualAlarm() override { std::erase(alarms.alarms_, this); }

    ManualAlarm(const ManualAlarm&) = delete;
    ManualAlarm& operator=(const ManualAlarm&) = delete;

    void set(std::chrono::milliseconds delay) override { rings_at = alarms.now_ + delay; }
    void cancel() override { rings_at.reset(); }

    ManualAlarms& alarms;
    std::function<void()> on_ring;
    std::optional<std::chrono::milliseconds> rings_at;
  };

  std::chrono::milliseconds now_{0};
  std::vector<ManualAlarm*> alarms_;
};

}  // namespace vrelo::sse::client
