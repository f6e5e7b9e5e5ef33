// SPDX-License-Identifier: Apache-2.0
#include "hub/supervisor.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cassert>
#include <cerrno>
#include <csignal>
#include <optional>
#include <string_view>
#include <system_error>

#include <fmt/format.h>

#include "hub/base/last_error.h"
#include "hub/base/standard_streams.h"

namespace vrelo {
namespace {

using std::chrono::milliseconds;

constexpr std::array kSignals = {SIGCHLD, SIGTERM, SIGINT, SIGHUP, SIGUSR2};
constexpr std::chrono::seconds kTrialMax{30};

// How long a worker may take to end: beyond its drain, and once it is to end at once.
constexpr std::chrono::seconds kEndMax{10};
constexpr std::chrono::seconds kEndAtOnceMax{2};

constexpr int kFailed = 1;
constexpr int kSignalBase = 128;  // as shells say that a signal ended a process

// The program that runs now, also when another one lies at its path: a worker that is started
// again is no upgrade, and needs no file that may have been removed.
constexpr const char* kThisProgram = "/proc/self/exe";

// Holds the signals back, so that they are read instead. They stay held back while the process
// becomes its successor: none is lost.
base::Descriptor hold_signals() {
  ::signal(SIGCHLD, SIG_DFL);  // whoever started this process may have ignored it
  sigset_t signals;
  sigemptyset(&signals);
  for (const int signal : kSignals) {
    sigaddset(&signals, signal);
  }
  ::pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  return base::Descriptor(::signalfd(-1, &signals, SFD_NONBLOCK | SFD_CLOEXEC));
}

bool is_listen_variable(const std::pair<std::string, std::string>& variable) {
  return variable.first == "LISTEN_PID" || variable.first == "LISTEN_FDS" ||
         variable.first == "LISTEN_FDNAMES";
}

// This process, as it was started.
base::Program this_program(const base::SettingSources& sources) {
  base::Program program{.path = base::own_path(),
                        .arguments = {"vrelo", "serve"},
                        .variables = sources.variables,
                        .pid_variable = {},
                        .descriptors = {}};
  std::erase_if(program.variables, is_listen_variable);
  program.arguments.insert(program.arguments.end(), sources.flags.begin(), sources.flags.end());
  return program;
}

}  // namespace

Supervisor::Supervisor(const base::Clock& clock,
                       base::SettingSources sources,
                       std::vector<net::NamedListener> listeners,
                       const Role& role,
                       base::Descriptor signals)
    : clock_(clock),
      sources_(std::move(sources)),
      program_(this_program(sources_)),
      listeners_(std::move(listeners)),
      signals_(std::move(signals)),
      start_at_(clock.steady()),
      is_announced_(role.kind == Role::Kind::kSuccessor),
      pause_(clock) {
  siginfo_t info = {};
  // No other process, if this one was not started as it should be.
  if (role.process > 0 &&
      ::waitid(P_PID, static_cast<id_t>(role.process), &info, WEXITED | WNOHANG | WNOWAIT) == 0) {
    worker_ = role.process;
    is_ready_ = true;
    is_replaced_ = true;
    read_drain();
    tell_to_end(kReplacedSignal, drain_ + kEndMax);
  }
}

std::optional<int> Supervisor::run(base::Logger& logger) {
  take_deaths(logger);
  while (true) {
    if (worker_ == 0 && !status_ && clock_.steady() >= start_at_) {
      start_worker(logger);
    }
    if (status_) {
      return status_;
    }
    if (std::exchange(trial_passed_, false)) {
      return std::nullopt;
    }
    if (worker_ != 0 && clock_.steady() >= worker_until_) {
      logger.error("supervisor: worker {} has not ended in time: SIGKILL", worker_);
      ::kill(worker_, SIGKILL);
      worker_until_ = base::Clock::Steady::max();
    }
    if (trial_ != 0 && clock_.steady() >= trial_until_) {
      ::kill(trial_, SIGKILL);
    }
    wait(logger);
  }
}

base::Program Supervisor::program_as(const Role& role, std::string path) const {
  base::Program program = program_;
  program.path = std::move(path);
  program.pid_variable = "LISTEN_PID";
  for (auto& variable : net::listen_variables(listeners_)) {
    program.variables.push_back(std::move(variable));
  }
  program.variables.push_back(role_variable(role));
  for (const net::NamedListener& named : listeners_) {
    program.descriptors.push_back(named.listener.fd());
  }
  return program;
}

base::Program Supervisor::successor() const {
  return program_as({Role::Kind::kSuccessor, worker_}, program_.path);
}

void Supervisor::wait(base::Logger& logger) {
  auto until = worker_ == 0 ? start_at_ : worker_until_;
  if (trial_ != 0) {
    until = std::min(until, trial_until_);
  }
  int timeout = -1;
  if (until != base::Clock::Steady::max()) {
    const auto left = std::chrono::ceil<milliseconds>(until - clock_.steady());
    timeout = static_cast<int>(std::max(left, milliseconds(0)).count());
  }
  pollfd sources[] = {{.fd = output_.get(), .events = POLLIN, .revents = 0},
                      {.fd = signals_.get(), .events = POLLIN, .revents = 0}};
  if (::poll(std::data(sources), std::size(sources), timeout) <= 0) {
    return;
  }
  if (sources[0].revents != 0) {
    take_output(logger);
  }
  if (sources[1].revents != 0) {
    take_signals(logger);
  }
}

// What a worker prints tells that it is ready.
void Supervisor::take_output(base::Logger& logger) {
  std::array<char, 4096> buffer = {};
  while (output_.get() >= 0) {
    const ssize_t count = ::read(output_.get(), buffer.data(), buffer.size());
    if (count < 0) {
      return;  // nothing more is there yet
    }
    if (count == 0) {
      output_ = base::Descriptor();
      return;
    }
    is_ready_ = true;
    if (std::exchange(reload_when_ready_, false)) {
      reload(logger);
    }
    if (std::exchange(is_announced_, true)) {
      continue;
    }
    const std::string_view text(buffer.data(), static_cast<std::size_t>(count));
    if (const auto error = base::write_output(text)) {
      // Whoever waits for the address would wait for ever.
      logger.error("standard output: {}", error.message());
      failed_ = kFailed;
      end(logger, SIGTERM);
    }
  }
}

void Supervisor::take_signals(base::Logger& logger) {
  signalfd_siginfo info = {};
  while (::read(signals_.get(), &info, sizeof info) == static_cast<ssize_t>(sizeof info)) {
    switch (info.ssi_signo) {
      case SIGCHLD:
        take_deaths(logger);
        break;
      case SIGHUP:
        reload(logger);
        break;
      case SIGUSR2:
        try_successor(logger);
        break;
      default:
        end(logger, static_cast<int>(info.ssi_signo));
    }
  }
}

void Supervisor::take_deaths(base::Logger& logger) {
  int status = 0;
  while (true) {
    const pid_t child = ::waitpid(-1, &status, WNOHANG);
    if (child <= 0) {
      return;
    }
    if (child == worker_) {
      worker_died(logger, status);
    } else if (child == trial_) {
      trial_ended(logger, status);
    }
  }
}

void Supervisor::start_worker(base::Logger& logger) {
  is_ready_ = false;
  reload_when_ready_ = false;
  worker_until_ = base::Clock::Steady::max();
  read_drain();
  pause_.begin_life();
  int output[2];
  boost::system::result<pid_t> started = boost::system::error_code();
  if (::pipe2(output, O_CLOEXEC | O_NONBLOCK) < 0) {
    started = base::last_error();
  } else {
    output_ = base::Descriptor(output[0]);
    const base::Descriptor other_end(output[1]);
    started = base::start_program(program_as({Role::Kind::kWorker, ::getpid()}, kThisProgram),
                                  other_end.get());
  }
  if (started) {
    worker_ = *started;
    logger.info("supervisor: started worker {}", worker_);
    return;
  }
  if (!is_announced_) {
    logger.error("supervisor: no worker can be started: {}", started.error().message());
    status_ = kFailed;
    return;
  }
  const milliseconds pause = pause_.end_life();
  start_at_ = clock_.steady() + pause;
  logger.error("supervisor: no worker can be started: {}; again in {}", started.error().message(),
               base::format_duration(pause));
}

void Supervisor::worker_died(base::Logger& logger, int status) {
  take_output(logger);  // what it printed before
  const pid_t worker = std::exchange(worker_, 0);
  const bool has_exited = WIFEXITED(status);
  const int code = has_exited ? WEXITSTATUS(status) : kSignalBase + WTERMSIG(status);
  if (is_ending_) {
    // A worker that did not take signals yet has nothing to close.
    const int signal = has_exited ? 0 : WTERMSIG(status);
    const bool by_us = signal == SIGTERM || signal == SIGINT || signal == kAtOnceSignal ||
                       signal == kReplacedSignal;
    logger.info("supervisor: worker {} ended: {}", worker, base::cause_of_death(status));
    status_ = failed_ != 0 ? failed_ : by_us ? 0 : code;
    return;
  }
  if (std::exchange(is_replaced_, false)) {
    logger.info("supervisor: worker {} ended: {}; it is replaced", worker,
                base::cause_of_death(status));
    start_at_ = clock_.steady();
    return;
  }
  if (has_exited && (code == 0 || !is_announced_)) {
    logger.info("supervisor: worker {} ended: {}", worker, base::cause_of_death(status));
    status_ = code;
    return;
  }
  const milliseconds pause = pause_.end_life();
  start_at_ = clock_.steady() + pause;
  logger.warning("supervisor: worker {} died: {}; the next one starts in {}", worker,
                 base::cause_of_death(status), base::format_duration(pause));
}

void Supervisor::end(base::Logger& logger, int signal) {
  trial_passed_ = false;  // a successor would not know that the hub ends
  if (trial_ != 0) {
    ::kill(trial_, SIGKILL);  // it has the sockets
  }
  if (worker_ == 0) {
    logger.info("supervisor: {}: no worker is running", base::signal_name(signal));
    status_ = failed_;
    return;
  }
  if (std::exchange(is_ending_, true)) {
    tell_to_end(kAtOnceSignal, kEndAtOnceMax);
    return;
  }
  logger.info("supervisor: {}: worker {} ends", base::signal_name(signal), worker_);
  tell_to_end(signal, drain_ + kEndMax);
}

void Supervisor::tell_to_end(int signal, milliseconds at_most) {
  ::kill(worker_, signal);
  worker_until_ = std::min(worker_until_, clock_.steady() + at_most);
}

// Settings that are wrong change nothing in the worker either.
void Supervisor::read_drain() {
  if (const auto settings = base::load_settings(sources_)) {
    drain_ = settings->drain;
  }
}

void Supervisor::reload(base::Logger& logger) {
  if (worker_ == 0) {
    logger.info("supervisor: SIGHUP: no worker is running; the next one reads the settings anyway");
  } else if (is_ready_) {
    read_drain();
    ::kill(worker_, SIGHUP);
  } else {
    reload_when_ready_ = true;
  }
}

void Supervisor::try_successor(base::Logger& logger) {
  if (is_ending_ || is_replaced_ || trial_ != 0 || !is_announced_) {
    logger.warning("supervisor: SIGUSR2: not now: {}", is_ending_ ? "the hub ends"
                                                       : !is_announced_
                                                           ? "the hub is starting"
                                                           : "an upgrade is under way");
    return;
  }
  const auto started =
      base::start_program(program_as({Role::Kind::kTrial, 0}, program_.path), STDERR_FILENO);
  if (!started) {
    logger.error("supervisor: SIGUSR2: {}: {}; all stays as it was", program_.path,
                 started.error().message());
    return;
  }
  logger.info("supervisor: SIGUSR2: trying {}", program_.path);
  trial_ = *started;
  trial_until_ = clock_.steady() + kTrialMax;
}

void Supervisor::trial_ended(base::Logger& logger, int status) {
  trial_ = 0;
  if (is_ending_) {
    return;
  }
  if (!WIFEXITED(status) || WEXITSTATUS(status) != kTrialPassed) {
    logger.error("supervisor: SIGUSR2: {} does not start ({}); all stays as it was", program_.path,
                 base::cause_of_death(status));
    return;
  }
  logger.info("supervisor: SIGUSR2: going on as {}", program_.path);
  trial_passed_ = true;
}

base::Parsed<int> supervise(SupervisorParts parts) {
  auto listeners = net::line_up(with_names(std::move(parts.listeners)));
  if (!listeners) {
    return listeners.error();
  }
  base::Descriptor signals =
      hold_signals();  // before the logger's thread is there, which holds them back too
  if (signals.get() < 0) {
    return base::Fault{"signalfd: " + std::generic_category().message(errno)};
  }
  Supervisor supervisor(parts.clock, std::move(parts.sources), *std::move(listeners), parts.role,
                        std::move(signals));
  std::string fault;
  while (true) {
    {
      base::Logger logger(parts.clock, parts.log_level);
      if (!fault.empty()) {
        logger.error("supervisor: SIGUSR2: {}; all stays as it was", fault);
      }
      if (const auto status = supervisor.run(logger)) {
        return *status;
      }
    }  // All lines are written now, and no other thread runs.
    const base::Program successor = supervisor.successor();
    fault = fmt::format("{}: {}", successor.path, base::become_program(successor).message());
  }
}

}  // namespace vrelo
