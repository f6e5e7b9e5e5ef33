// SPDX-License-Identifier: Apache-2.0
#include "hub/net/shard.h"

#include <cassert>
#include <csignal>
#include <string>
#include <system_error>

#include <pthread.h>

namespace vrelo::net {
namespace {

// All signals but those by which a thread learns of its own faults: blocked, they would end the
// process before a handler could say where.
sigset_t all_but_its_own() {
  sigset_t signals;
  sigfillset(&signals);
  for (const int fault : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT}) {
    sigdelset(&signals, fault);
  }
  return signals;
}

}  // namespace

Shard::Shard(std::size_t number) : number_(number), work_(loop_.get_executor()) {}

Shard::~Shard() {
  assert(!thread_.joinable());
}

boost::system::result<void> Shard::start() {
  assert(!thread_.joinable() && work_);
  // A thread begins with the signal mask of the one that makes it.
  const sigset_t blocked = all_but_its_own();
  sigset_t before;
  pthread_sigmask(SIG_SETMASK, &blocked, &before);
  boost::system::result<void> result;
  try {
    thread_ = std::thread([this]() noexcept {
      pthread_setname_np(pthread_self(), ("vrelo-" + std::to_string(number_)).c_str());
      loop_.run();
    });
  } catch (const std::system_error& error) {
    result = boost::system::error_code(error.code().value(), boost::system::system_category());
  }
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  return result;
}

void Shard::stop() {
  work_.reset();
}

void Shard::join() {
  if (thread_.joinable()) {
    thread_.join();
  }
}

}  // namespace vrelo::net
