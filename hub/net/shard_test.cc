// SPDX-License-Identifier: Apache-2.0
#include "hub/net/shard.h"

#include <array>
#include <csignal>
#include <future>
#include <string>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <pthread.h>

namespace vrelo::net {
namespace {

TEST(Shard, calls_what_is_posted_on_its_own_thread_in_order) {
  Shard shard(0);
  std::vector<int> called;
  std::thread::id thread;
  shard.post([&] { called.push_back(1); });  // before it runs, too
  ASSERT_TRUE(shard.start());
  shard.post([&] { called.push_back(2); });
  shard.post([&] {
    called.push_back(3);
    thread = std::this_thread::get_id();
  });
  shard.stop();
  shard.join();
  EXPECT_THAT(called, testing::ElementsAre(1, 2, 3));
  EXPECT_NE(thread, std::thread::id());
  EXPECT_NE(thread, std::this_thread::get_id());
}

TEST(Shard, is_posted_to_by_any_thread) {
  constexpr int kThreads = 4;
  constexpr int kCalls = 1000;
  Shard shard(0);
  ASSERT_TRUE(shard.start());
  int called = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&shard, &called] {
      for (int call = 0; call < kCalls; ++call) {
        shard.post([&called] { ++called; });
      }
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  shard.stop();
  shard.join();
  EXPECT_EQ(called, kThreads * kCalls);
}

TEST(Shard, names_its_thread_and_keeps_signals_from_it) {
  std::promise<std::string> name;
  std::promise<sigset_t> mask;
  Shard shard(7);
  EXPECT_EQ(shard.number(), 7U);
  ASSERT_TRUE(shard.start());
  shard.post([&] {
    std::array<char, 16> buffer = {};
    pthread_getname_np(pthread_self(), buffer.data(), buffer.size());
    name.set_value(buffer.data());
    sigset_t blocked;
    pthread_sigmask(SIG_BLOCK, nullptr, &blocked);
    mask.set_value(blocked);
  });
  EXPECT_EQ(name.get_future().get(), "vrelo-7");
  const sigset_t blocked = mask.get_future().get();
  EXPECT_TRUE(sigismember(&blocked, SIGTERM));
  EXPECT_TRUE(sigismember(&blocked, SIGHUP));
  EXPECT_FALSE(sigismember(&blocked, SIGSEGV));

  sigset_t own;
  pthread_sigmask(SIG_BLOCK, nullptr, &own);
  EXPECT_FALSE(sigismember(&own, SIGTERM));  // the main thread's mask is as it was
  shard.stop();
  shard.join();
}

TEST(Shard, ends_when_nothing_is_pending_any_more) {
  Shard shard(0);
  ASSERT_TRUE(shard.start());
  auto pending = boost::asio::make_work_guard(shard.executor());
  shard.stop();
  std::promise<void> called;
  shard.post([&] { called.set_value(); });
  called.get_future().get();  // it still runs
  pending.reset();
  shard.join();
}

TEST(Shard, need_not_be_started) {
  Shard shard(0);
  shard.join();
}

TEST(ShardDeathTest, ends_the_process_at_an_exception) {
  testing::FLAGS_gtest_death_test_style = "threadsafe";
  EXPECT_DEATH(
      {
        Shard shard(0);
        if (shard.start()) {
          shard.post([] { throw 1; });
          shard.join();
        }
      },
      "");
}

}  // namespace
}  // namespace vrelo::net
