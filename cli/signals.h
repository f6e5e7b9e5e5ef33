// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <csignal>
#include <optional>

namespace vrelo::cli {

// Holds back SIGINT and SIGTERM while a command works, so that it can end in order: the first of
// them makes fd() readable. SIGPIPE is ignored meanwhile: a write says by itself that nobody reads.
//
// Threads: made before there is any other thread, which then holds them back too.
// Lifetime: the destructor gives the signals back what they did before.
class Signals {
 public:
  // Where the system has no descriptor left, signals do what they always do.
  Signals();
  ~Signals();

  Signals(const Signals&) = delete;
  Signals& operator=(const Signals&) = delete;

  // Readable once a signal has come; -1: none of them is held back.
  int fd() const { return fd_; }

  // Returns the signal that has come, or nullopt. From then on signals do what they always do, so
  // that a second Ctrl-C ends a process that is slow to end.
  std::optional<int> take();

 private:
  sigset_t held_ = {};
  sigset_t mask_before_ = {};
  struct sigaction pipe_before_ = {};
  int fd_ = -1;
};

}  // namespace vrelo::cli
