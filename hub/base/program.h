// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <utility>
#include <vector>

#include <boost/system/error_code.hpp>
#include <boost/system/result.hpp>

#include <sys/types.h>

namespace vrelo::base {

// What a process is to run, and what it finds when it begins.
struct Program {
  std::string path;                                            // of the file; PATH is not searched
  std::vector<std::string> arguments;                          // its own name first
  std::vector<std::pair<std::string, std::string>> variables;  // its environment, all of it
  std::string pid_variable;  // one more, which holds the id of the process that runs it; "": none

  // What stays open, under the same number, of all that is closed at exec(). The standard streams
  // stay open anyway.
  std::vector<int> descriptors;
};

// Where the file lies that this process was started from: the absolute form of the name that it was
// started by. A link in it is not followed, so that what the link leads to later is found.
// Order: before the working directory changes.
std::string own_path();

// Runs `program` in a process of its own, a child of this thread. `output` becomes its standard
// output. No signal is held back in it.
//
// Threads: any number may run; but a child that is to end with its parent ends with the calling
// thread.
// Errors: those of the system, also why `program` could not be executed.
boost::system::result<pid_t> start_program(const Program& program, int output);

// Runs `program` in this process, which keeps its id, its children, and the signals that it holds
// back. Returns only if that failed, and why; nothing has changed then.
boost::system::error_code become_program(const Program& program);

// "SIGKILL".
std::string signal_name(int signal);

// What ended a process, from what waitpid() tells: "exit status 1", "SIGKILL".
std::string cause_of_death(int status);

}  // namespace vrelo::base
