// SPDX-License-Identifier: Apache-2.0
//
// What the supervisor does on one signal right behind another. All else: test/e2e/supervise.mjs.
#include "hub/supervisor.h"

#include <fcntl.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <utility>

#include <gtest/gtest.h>

namespace vrelo {
namespace {

// Its worker, and the trial of its successor, are this program again.
const bool kIsTest = [] {
  const std::string variable = role_variable({Role::Kind::kWorker, 0}).first;
  const char* const value = std::getenv(variable.c_str());
  if (value == nullptr) {
    return true;
  }
  Variables variables{{variable, value}};
  const auto role = take_role(variables);
  if (role && role->kind == Role::Kind::kTrial) {
    ::_exit(kTrialPassed);
  }
  while (role && follow_supervisor(*role)) {
    ::pause();
  }
  ::_exit(1);
}();

// Stands in for the signalfd, whose order is the kernel's affair. Each SIGCHLD is written to it,
// and a SIGTERM right behind the first one.
class Signals {
 public:
  Signals() {
    std::array<int, 2> ends = {};
    EXPECT_EQ(::pipe2(ends.data(), O_CLOEXEC | O_NONBLOCK), 0);
    read_ = base::Descriptor(ends[0]);
    write_ = base::Descriptor(ends[1]);
    handler_fd = write_.get();
    struct sigaction action = {};
    action.sa_handler = on_child;
    action.sa_flags = SA_RESTART;
    EXPECT_EQ(::sigaction(SIGCHLD, &action, &before_), 0);
  }

  Signals(const Signals&) = delete;
  Signals& operator=(const Signals&) = delete;

  ~Signals() { ::sigaction(SIGCHLD, &before_, nullptr); }

  base::Descriptor take() { return std::move(read_); }

  static void send(int signal) {
    signalfd_siginfo info = {};
    info.ssi_signo = static_cast<std::uint32_t>(signal);
    // Less than PIPE_BUF: all or nothing.
    if (::write(handler_fd, &info, sizeof info) != static_cast<ssize_t>(sizeof info)) {
      ::abort();
    }
  }

 private:
  static void on_child(int signal) {
    send(signal);
    if (is_told == 0) {
      is_told = 1;
      send(SIGTERM);
    }
  }

  static inline int handler_fd = -1;
  static inline volatile sig_atomic_t is_told = 0;

  base::Descriptor read_;
  base::Descriptor write_;
  struct sigaction before_ = {};
};

TEST(Supervisor, ends_where_it_is_told_to_as_the_trial_of_its_successor_has_passed) {
  ASSERT_TRUE(kIsTest);
  const base::SystemClock clock;
  base::Logger logger(clock, base::LogLevel::kError);
  Signals signals;
  Supervisor supervisor(clock,
                        {.path = "/proc/self/exe",
                         .arguments = {"vrelo"},
                         .variables = {},
                         .pid_variable = {},
                         .descriptors = {}},
                        {}, {Role::Kind::kSuccessor, 0}, signals.take());
  Signals::send(SIGUSR2);
  EXPECT_EQ(supervisor.run(logger), 0);
}

}  // namespace
}  // namespace vrelo
