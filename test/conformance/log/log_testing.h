// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <ostream>
#include <string>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "hub/base/clock_testing.h"
#include "test/conformance/log/implementation.h"
#include "test/conformance/log/shard.h"

namespace vrelo::log {

// How a failed test shows what it was run with.
inline void PrintTo(const ImplementationCase& implementation, std::ostream* out) {
  *out << implementation.name;
}

// What a test has of the implementation that it is run with: a store with one shard.
class LogTest : public ::testing::TestWithParam<ImplementationCase> {
 protected:
  LogTest() : implementation_(GetParam().make()) {}
  ~LogTest() override { close(); }

  // Opens the store, or closes it and opens it again.
  Shard& open(const OpenOptions& options = {}) {
    close();
    options_ = options;
    store_ = implementation_->open(options, clock_);
    shard_ = std::make_unique<Shard>(*store_);
    return *shard_;
  }

  void close() {
    shard_ = nullptr;
    if (store_ != nullptr) {
      store_->close();
      store_ = nullptr;
    }
  }

  Store& store() { return *store_; }
  Shard& shard() { return *shard_; }
  base::ManualClock& clock() { return clock_; }
  bool persists() const { return implementation_->persists(); }
  std::uint64_t records_visited() const { return implementation_->records_visited(); }

  void set_retention(const Retention& retention) {
    options_.retention = retention;
    store_->set_retention(retention);
  }

  // Waits until retention, which may do its work in the background, has removed what is up to
  // `offset`. That it removes no more shows in what the test then reads.
  void wait_for_begin(std::uint64_t offset) {
    // An implementation may look only now and then at what has become too old; now it does.
    store_->set_retention(options_.retention);
    const auto start = std::chrono::steady_clock::now();
    while (shard_->begin().offset < offset) {
      ASSERT_LT(std::chrono::steady_clock::now() - start, kPatience)
          << "begin stays at " << shard_->begin().offset << " instead of " << offset;
      std::this_thread::yield();
    }
    ASSERT_EQ(shard_->begin().offset, offset);
  }

  // Appends events with one topic, whose data counts from 0.
  std::vector<Position> append(const std::string& topic, int count) {
    std::vector<Event> events;
    for (int i = 0; i < count; ++i) {
      events.push_back({.topics = {topic}, .data = std::to_string(i)});
    }
    std::vector<Position> positions;
    for (const auto& result : shard_->append_all(std::move(events))) {
      positions.push_back(result.value().position);
    }
    return positions;
  }

 private:
  // After which a test gives up on a log that does not do what it waits for.
  static constexpr std::chrono::seconds kPatience{30};

  base::ManualClock clock_;
  std::unique_ptr<Implementation> implementation_;
  OpenOptions options_;
  std::unique_ptr<Store> store_;
  std::unique_ptr<Shard> shard_;
};

// With what to instantiate each suite, and the name of each case.
inline auto each_implementation() {
  return ::testing::ValuesIn(implementations());
}

inline auto each_variant() {
  return ::testing::ValuesIn(variants());
}

inline std::string name_of(const ::testing::TestParamInfo<ImplementationCase>& info) {
  return info.param.name;
}

}  // namespace vrelo::log
