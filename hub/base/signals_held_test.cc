// SPDX-License-Identifier: Apache-2.0
#include "hub/base/signals_held.h"

#include <csignal>
#include <thread>

#include <gtest/gtest.h>

namespace vrelo::base {
namespace {

sigset_t held_here() {
  sigset_t held;
  pthread_sigmask(SIG_BLOCK, nullptr, &held);
  return held;
}

TEST(SignalsHeld, is_for_this_thread_until_its_end_and_for_those_made_meanwhile) {
  sigset_t meanwhile;
  sigset_t made;
  std::thread thread;
  {
    const SignalsHeld held;
    meanwhile = held_here();
    thread = std::thread([&made] { made = held_here(); });
  }
  thread.join();
  const sigset_t after = held_here();
  for (const int signal : {SIGTERM, SIGHUP, SIGUSR2, SIGINT}) {
    SCOPED_TRACE(signal);
    EXPECT_TRUE(sigismember(&meanwhile, signal));
    EXPECT_TRUE(sigismember(&made, signal));
    EXPECT_FALSE(sigismember(&after, signal));
  }
  EXPECT_FALSE(sigismember(&made, SIGSEGV));
}

}  // namespace
}  // namespace vrelo::base
