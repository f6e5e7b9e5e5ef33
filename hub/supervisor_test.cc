// SPDX-License-Identifier: Apache-2.0
//
// What the supervisor does on one signal right behind another, and with a worker that does not end.
// All else: test/e2e/supervise.mjs.
#include "hub/supervisor.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "hub/base/clock_testing.h"

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

using std::chrono_literals::operator""ms;
using std::chrono_literals::operator""s;

// Stands in for the signalfd, whose order is the kernel's affair. Each SIGCHLD is written to it,
// and right behind the first one SIGTERM, if `then_end`.
class Signals {
 public:
  explicit Signals(bool then_end = false) {
    is_told = then_end ? 0 : 1;
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
  Signals signals(true);
  Supervisor supervisor(clock, {}, {}, {Role::Kind::kSuccessor, 0}, signals.take());
  Signals::send(SIGUSR2);
  EXPECT_EQ(supervisor.run(logger), 0);
}

// A worker that hangs: of all that it is told to end by it takes kAtOnceSignal alone.
pid_t start_hanging_worker() {
  sigset_t ignored;
  sigset_t before;
  sigemptyset(&ignored);
  sigaddset(&ignored, SIGTERM);
  sigaddset(&ignored, kReplacedSignal);
  ::sigprocmask(SIG_BLOCK, &ignored, &before);
  const pid_t worker = ::fork();
  if (worker == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    while (true) {
      ::pause();
    }
  }
  ::sigprocmask(SIG_SETMASK, &before, nullptr);
  EXPECT_GT(worker, 0);
  return worker;
}

TEST(Supervisor, kills_a_worker_that_has_not_ended_10_s_after_its_drain) {
  struct {
    const char* about;
    std::chrono::milliseconds passed;
    std::vector<int> signals;
    int status;
  } const cases[] = {
      {"in time it can end by a second SIGTERM", 15s - 1ms, {SIGTERM, SIGTERM}, 0},
      {"then it is killed", 15s, {SIGTERM}, 128 + SIGKILL},
  };
  for (const auto& row : cases) {
    SCOPED_TRACE(row.about);
    base::ManualClock clock;
    Signals signals;
    const pid_t worker = start_hanging_worker();
    base::Logger logger(clock, base::LogLevel::kError, [](std::string_view) {});
    Supervisor supervisor(clock, {.flags = {"--drain", "5s"}, .variables = {}}, {},
                          {Role::Kind::kSuccessor, worker}, signals.take());
    clock.advance(row.passed);
    for (const int signal : row.signals) {
      Signals::send(signal);
    }
    EXPECT_EQ(supervisor.run(logger), row.status);
  }
}

}  // namespace
}  // namespace vrelo
