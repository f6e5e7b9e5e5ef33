// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include <sys/types.h>

#include "hub/base/clock.h"
#include "hub/base/descriptor.h"
#include "hub/base/logging.h"
#include "hub/base/program.h"
#include "hub/base/setting_text.h"
#include "hub/base/settings.h"
#include "hub/listeners.h"
#include "hub/net/listener.h"
#include "hub/restart_pause.h"
#include "hub/role.h"

namespace vrelo {

// What a trial exits with when all is well. Other programs do not, so that none of them is taken
// for one.
inline constexpr int kTrialPassed = 96;

// A small process that holds the listening sockets of a hub and runs the hub itself, its worker, as
// a child. While no worker runs, connects wait in the sockets.
//
// For an upgrade it becomes the program that now lies where it was started from, its successor,
// which ends the worker and starts another one. The worker takes publishes until its last stream is
// closed. Before all that it tries whether the successor would start: the trial is a child that
// reads the settings, takes the sockets, and ends.
//
// Threads: one, which starts all workers: they end with it.
class Supervisor {
 public:
  // `sources` are those of the worker's settings, `signals` is the signalfd of the signals that it
  // lives by, `role` is kNone or kSuccessor.
  // Lifetime: `clock` outlives the Supervisor.
  Supervisor(const base::Clock& clock,
             base::SettingSources sources,
             std::vector<net::NamedListener> listeners,
             const Role& role,
             base::Descriptor signals);

  // Works until the hub has ended, and returns what to exit with. nullopt: until this process is to
  // become its successor; if that fails, run() goes on.
  std::optional<int> run(base::Logger& logger);

  base::Program successor() const;

 private:
  void wait(base::Logger& logger);
  void take_output(base::Logger& logger);
  void take_signals(base::Logger& logger);
  void take_deaths(base::Logger& logger);

  base::Program program_as(const Role& role, std::string path) const;
  void start_worker(base::Logger& logger);
  void worker_died(base::Logger& logger, int status);
  void end(base::Logger& logger, int signal);
  void tell_to_end(int signal, std::chrono::milliseconds at_most);
  void read_drain();
  void reload(base::Logger& logger);
  void try_successor(base::Logger& logger);
  void trial_ended(base::Logger& logger, int status);

  const base::Clock& clock_;
  const base::SettingSources sources_;
  const base::Program program_;
  const std::vector<net::NamedListener> listeners_;
  const base::Descriptor signals_;

  pid_t worker_ = 0;                // 0: none runs,
  base::Clock::Steady start_at_;    // and the next one is started then
  base::Descriptor output_;         // the worker's, to be read
  bool is_ready_ = false;           // the worker listens
  bool reload_when_ready_ = false;  // SIGHUP would end a worker that does not listen yet
  bool is_replaced_ = false;        // the worker was told to end, for another one
  bool is_announced_ = false;       // where the hub listens has been printed
  RestartPause pause_;

  std::chrono::milliseconds drain_ = base::Settings().drain;       // the worker's
  base::Clock::Steady worker_until_ = base::Clock::Steady::max();  // it is killed then

  pid_t trial_ = 0;  // 0: none runs
  base::Clock::Steady trial_until_;
  bool trial_passed_ = false;

  bool is_ending_ = false;
  int failed_ = 0;             // what to exit with, if not with what the worker does
  std::optional<int> status_;  // of this process, once there is nothing left to do
};

struct SupervisorParts {
  const base::Clock& clock;
  base::LogLevel log_level;
  base::SettingSources sources;  // of the worker's settings
  Listeners listeners;
  Role role;
};

// Makes this process the supervisor of a hub, `vrelo serve` with the flags and variables of
// `sources`, until it is told to end. Returns what to exit with: what the worker did.
//
// SIGTERM and SIGINT: the worker drains and ends; a second one makes it end at once. SIGHUP is
// passed on. SIGUSR2: the upgrade.
// A worker that is to end and does not is killed: 10 s after its drain should be over, or 2 s after
// it was told to end at once. Its drain is that of the settings when it was started, or when SIGHUP
// was passed on, or of those that the successor reads who replaces it.
// A worker that dies is started again. One that ends with status 0 ends the supervisor, and so does
// the first one if it fails before it listens: the settings or the log are to blame then. What the
// first one prints, where it listens, is printed; of the others, nothing.
//
// Threads: the only one. Order: when nothing else is open but the listeners.
// Errors: the system has no descriptors left.
base::Parsed<int> supervise(SupervisorParts parts);

}  // namespace vrelo
