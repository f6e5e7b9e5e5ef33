// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <csignal>
#include <initializer_list>

namespace vrelo::base {

// While one lives, its thread takes no signal; and a thread made meanwhile takes none as long as it
// lives, since it begins with what its maker holds back. So signals are for the main thread. Those
// by which a thread learns of its own faults are taken: held back, they would end the process
// before a handler could say where.
class SignalsHeld {
 public:
  SignalsHeld() {
    sigset_t held;
    sigfillset(&held);
    for (const int fault : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT}) {
      sigdelset(&held, fault);
    }
    ::pthread_sigmask(SIG_SETMASK, &held, &before_);
  }
  ~SignalsHeld() { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  SignalsHeld(const SignalsHeld&) = delete;
  SignalsHeld& operator=(const SignalsHeld&) = delete;

 private:
  sigset_t before_ = {};
};

}  // namespace vrelo::base
