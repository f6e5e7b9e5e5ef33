// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <csignal>
#include <string>
#include <utility>
#include <vector>

#include <sys/types.h>

#include "hub/base/setting_text.h"

namespace vrelo {

// What a process of a hub with a supervisor (supervisor.h) is for. It is told by a variable in its
// environment.
struct Role {
  // kNone: no supervisor has started it. The others are what a supervisor starts: a worker, the
  // trial of a successor, and the successor.
  enum class Kind { kNone, kWorker, kTrial, kSuccessor };

  Kind kind = Kind::kNone;
  pid_t process = 0;  // of kWorker: its supervisor; of kSuccessor: the worker, 0: there is none

  friend bool operator==(const Role&, const Role&) = default;
};

// What a supervisor tells its worker by, beside SIGTERM and SIGINT, which drain it. Neither means
// anything to a supervisor: what does, a terminal or a service manager may send to the worker too.
inline constexpr int kReplacedSignal = SIGQUIT;  // drain, and take publishes meanwhile
inline constexpr int kAtOnceSignal = SIGUSR1;    // end at once

using Variables = std::vector<std::pair<std::string, std::string>>;

// Takes the variable that tells the role out of `variables`, so that it is passed on to nobody.
// Errors: the variable has no such value.
base::Parsed<Role> take_role(Variables& variables);

// The variable that tells `role`, which is not kNone.
std::pair<std::string, std::string> role_variable(const Role& role);

// Makes a worker end as by SIGTERM when its supervisor does, has it ignore SIGUSR2, and names it in
// lists of processes.
// Errors: the supervisor has ended already.
base::Parsed<void> follow_supervisor(const Role& role);

}  // namespace vrelo
