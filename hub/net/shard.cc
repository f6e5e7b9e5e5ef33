// SPDX-License-Identifier: Apache-2.0
#include "hub/net/shard.h"

#include <cassert>
#include <string>
#include <system_error>

#include <pthread.h>

#include "hub/base/signals_held.h"

namespace vrelo::net {

Shard::Shard(std::size_t number) : number_(number), work_(loop_.get_executor()) {}

Shard::~Shard() {
  assert(!thread_.joinable());
}

boost::system::result<void> Shard::start() {
  assert(!thread_.joinable() && work_);
  const base::SignalsHeld held;
  try {
    thread_ = std::thread([this]() noexcept {
      pthread_setname_np(pthread_self(), ("vrelo-" + std::to_string(number_)).c_str());
      loop_.run();
    });
  } catch (const std::system_error& error) {
    return boost::system::error_code(error.code().value(), boost::system::system_category());
  }
  return {};
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
