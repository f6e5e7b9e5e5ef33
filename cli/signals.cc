// SPDX-License-Identifier: Apache-2.0
#include "cli/signals.h"

#include <sys/signalfd.h>
#include <unistd.h>

namespace vrelo::cli {

Signals::Signals() {
  sigemptyset(&held_);
  sigaddset(&held_, SIGINT);
  sigaddset(&held_, SIGTERM);
  sigprocmask(SIG_SETMASK, nullptr, &mask_before_);
  fd_ = ::signalfd(-1, &held_, SFD_NONBLOCK | SFD_CLOEXEC);
  if (fd_ >= 0) {
    sigprocmask(SIG_BLOCK, &held_, nullptr);
  }
  struct sigaction ignore = {};
  ignore.sa_handler = SIG_IGN;
  sigaction(SIGPIPE, &ignore, &pipe_before_);
}

Signals::~Signals() {
  sigaction(SIGPIPE, &pipe_before_, nullptr);
  take();  // what was held back has been seen, and does not end the process afterwards
  sigprocmask(SIG_SETMASK, &mask_before_, nullptr);
  if (fd_ >= 0) {
    ::close(fd_);
  }
}

std::optional<int> Signals::take() {
  signalfd_siginfo info = {};
  if (fd_ < 0 || ::read(fd_, &info, sizeof info) != static_cast<ssize_t>(sizeof info)) {
    return std::nullopt;
  }
  sigprocmask(SIG_SETMASK, &mask_before_, nullptr);
  return static_cast<int>(info.ssi_signo);
}

}  // namespace vrelo::cli
