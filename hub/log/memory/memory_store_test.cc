// SPDX-License-Identifier: Apache-2.0
//
// What this implementation promises beyond the contract, which test/conformance/log/ holds it to.
#include "hub/log/memory/memory_store.h"

#include <malloc.h>

#include <atomic>
#include <cstdlib>
#include <memory>
#include <new>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include "hub/base/clock_testing.h"

namespace {

// What is allocated in this process now, with what the C library adds to each block.
std::atomic<std::size_t> allocated = 0;
constexpr std::size_t kBlockHeaderBytes = 8;

}  // namespace

void* operator new(std::size_t size) {
  void* const block = std::malloc(size);
  if (block == nullptr) {
    throw std::bad_alloc();
  }
  allocated += ::malloc_usable_size(block) + kBlockHeaderBytes;
  return block;
}

void operator delete(void* block) noexcept {
  if (block != nullptr) {
    allocated -= ::malloc_usable_size(block) + kBlockHeaderBytes;
  }
  std::free(block);
}

void operator delete(void* block, std::size_t /*size*/) noexcept {
  operator delete(block);
}

namespace vrelo::log::memory {
namespace {

constexpr Retention kNoLimit{.bytes_max = 0, .age_max = std::chrono::seconds(0)};

// A name that is another for each number, and always as long.
std::string name(int number) {
  return std::to_string(1'000'000 + number);
}

class MemoryStoreTest : public ::testing::Test {
 protected:
  ~MemoryStoreTest() override {
    log_ = nullptr;
    store_ = nullptr;
  }

  MemoryStore& open(const Retention& retention, std::size_t removed_topics_max = 1'000'000) {
    store_ = std::make_unique<MemoryStore>(retention, clock_, removed_topics_max);
    log_ = store_->log(loop_.get_executor());
    return *store_;
  }

  template <typename T>
  T wait(base::Task<T> task) {
    std::optional<T> result;
    boost::asio::co_spawn(loop_, std::move(task), [&](const std::exception_ptr& error, T given) {
      ASSERT_EQ(error, nullptr);
      result.emplace(std::move(given));
    });
    loop_.restart();
    loop_.run();
    return std::move(*result);
  }

  boost::system::result<Appended> append(Event event) {
    return wait(log_->append(std::move(event)));
  }

  void append(const std::string& topic, int count) {
    for (int i = 0; i < count; ++i) {
      ASSERT_TRUE(append({.topics = {topic}}));
    }
  }

  std::size_t readable() {
    Position after = log_->begin();
    std::size_t records = 0;
    while (true) {
      const Page page = wait(log_->read(after, {.all = true}, {})).value();
      records += page.records.size();
      if (page.next == after) {
        return records;
      }
      after = page.next;
    }
  }

  boost::asio::io_context loop_{1};
  base::ManualClock clock_;
  std::unique_ptr<MemoryStore> store_;
  std::unique_ptr<Log> log_;
};

TEST_F(MemoryStoreTest, acknowledges_for_as_long_as_the_process_lives) {
  EXPECT_EQ(open(kRetention).safety(), Safety::kProcess);
}

TEST_F(MemoryStoreTest, counts_what_records_take_in_memory) {
  struct Case {
    std::string_view about;
    Event (*event)(int number);
  };
  const std::vector<Case> cases = {
      {"small, on one topic", [](int) { return Event{.topics = {"t"}, .data = "d"}; }},
      {"small, each on its own topic", [](int n) { return Event{.topics = {name(n)}}; }},
      {"with ids",
       [](int n) { return Event{.topics = {"t"}, .id = name(n), .data = std::string(100, 'x')}; }},
      {"on ten topics, with long names",
       [](int n) {
         Event event{.topics = {}, .data = std::string(200, 'x')};
         for (int i = 0; i < 10; ++i) {
           event.topics.push_back(std::string(40, 'x') + name(10 * n + i));
         }
         return event;
       }},
      {"large", [](int) { return Event{.topics = {"t"}, .data = std::string(10'000, 'x')}; }},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.about);
    const MemoryStore& store = open(kNoLimit);
    const std::size_t before = allocated;
    for (int i = 0; i < 20'000; ++i) {
      append(c.event(i)).value();
      // At moments of which some are just before and some just after a part of the index grows.
      if (i >= 5000 && i % 1000 == 0) {
        const auto taken = static_cast<double>(allocated - before);
        const auto counted = static_cast<double>(store.stats().bytes);
        ASSERT_LT(taken, 1.17 * counted) << i;
        ASSERT_GT(taken, 0.7 * counted) << i;
      }
    }
    log_ = nullptr;
    store_ = nullptr;
  }
}

TEST_F(MemoryStoreTest, takes_little_for_the_topics_it_remembers_after_their_records) {
  const MemoryStore& store = open({.records_max = 1});
  append("t", 100);
  const std::size_t before = allocated;
  for (int i = 0; i < 50'000; ++i) {
    append({.topics = {std::to_string(i)}}).value();
  }
  EXPECT_EQ(store.stats().removed_topics, 50'000U);
  EXPECT_LT(allocated - before, std::size_t{50'000} * 40);
}

TEST_F(MemoryStoreTest, remembers_no_more_topics_than_it_was_told) {
  const MemoryStore& store = open({.records_max = 1}, 100);
  for (int i = 0; i < 1000; ++i) {
    append({.topics = {std::to_string(i)}}).value();
    ASSERT_LE(store.stats().removed_topics, 100U);
  }
  EXPECT_GE(store.stats().removed_topics, 50U);
}

TEST_F(MemoryStoreTest, gives_memory_back_in_slices_and_hides_it_at_once) {
  const MemoryStore& store = open({.age_max = std::chrono::hours(1)});
  append("t", 1000);
  clock_.advance(std::chrono::hours(2));
  EXPECT_EQ(log_->begin().offset, 1000U);
  EXPECT_EQ(readable(), 0U);
  std::size_t before = store.stats().records;
  EXPECT_GT(before, 0U);
  while (before > 0) {
    EXPECT_TRUE(wait(log_->find("id")));
    const std::size_t left = store.stats().records;
    ASSERT_LT(left, before);
    ASSERT_LE(before - left, 100U);
    before = left;
  }
  EXPECT_EQ(store.stats().bytes, 0U);
  EXPECT_EQ(store.stats().topics, 0U);
}

TEST_F(MemoryStoreTest, gives_memory_back_at_once_when_limits_are_lowered) {
  MemoryStore& store = open(kNoLimit);
  append("t", 1000);
  store.set_retention({.records_max = 10});
  EXPECT_EQ(store.stats().records, 10U);
}

TEST_F(MemoryStoreTest, reads_nothing_that_is_too_old_whatever_is_called_first) {
  open({.age_max = std::chrono::hours(1)});
  append({.topics = {"t"}, .id = "i"}).value();
  const Position before{.epoch = log_->end().epoch};
  clock_.advance(std::chrono::hours(1) + std::chrono::seconds(1));
  EXPECT_EQ(wait(log_->find("i")).value(), std::nullopt);
  append({.topics = {"t"}, .id = "j"}).value();
  clock_.advance(std::chrono::hours(1) + std::chrono::seconds(1));
  EXPECT_EQ(wait(log_->read({.epoch = before.epoch, .offset = 1}, {.topics = {"t"}}, {})).error(),
            Errc::kPositionGone);
  append({.topics = {"t"}, .id = "k"}).value();
  clock_.advance(std::chrono::hours(1) + std::chrono::seconds(1));
  EXPECT_TRUE(append({.topics = {"t"}, .id = "k"}).value().is_new);
}

TEST_F(MemoryStoreTest, removes_and_keeps_nothing_when_the_time_of_day_is_set) {
  open({.age_max = std::chrono::hours(1)});
  append("t", 3);
  clock_.step_wall(std::chrono::hours(24));
  EXPECT_EQ(readable(), 3U);
  append("t", 3);
  clock_.step_wall(-std::chrono::hours(48));
  append("t", 3);
  EXPECT_EQ(readable(), 9U);
  clock_.advance(std::chrono::hours(1) + std::chrono::seconds(1));
  EXPECT_EQ(readable(), 0U);
}

TEST_F(MemoryStoreTest, takes_an_age_beyond_all_time_for_none) {
  open({.age_max = std::chrono::seconds::max()});
  append("t", 3);
  clock_.advance(std::chrono::hours(24 * 365));
  EXPECT_EQ(readable(), 3U);
}

}  // namespace
}  // namespace vrelo::log::memory
