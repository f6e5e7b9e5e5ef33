// SPDX-License-Identifier: Apache-2.0
#include "hub/net/look_up.h"

#include <netdb.h>

#include <cerrno>
#include <cstring>
#include <mutex>
#include <optional>
#include <system_error>
#include <thread>
#include <utility>

#include <boost/asio/post.hpp>

#include "hub/base/last_error.h"
#include "hub/base/signals_held.h"

namespace vrelo::net {
namespace {

class ResolverCategory final : public boost::system::error_category {
 public:
  const char* name() const noexcept override { return "vrelo.resolver"; }
  std::string message(int value) const override { return ::gai_strerror(value); }
};

boost::system::result<LookUp::Addresses> look_up(const std::string& host, std::uint16_t port) {
  static const ResolverCategory category;
  addrinfo hints{};
  hints.ai_flags = AI_ADDRCONFIG | AI_NUMERICSERV;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  errno = 0;
  const int error = ::getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &found);
  if (error == EAI_SYSTEM) {
    return base::last_error();
  }
  if (error != 0) {
    return boost::system::error_code(error, category);
  }
  LookUp::Addresses addresses;
  for (const addrinfo* one = found; one != nullptr; one = one->ai_next) {
    boost::asio::ip::tcp::endpoint endpoint;
    if (one->ai_addrlen <= endpoint.capacity()) {
      std::memcpy(endpoint.data(), one->ai_addr, one->ai_addrlen);
      endpoint.resize(one->ai_addrlen);
      addresses.push_back(endpoint);
    }
  }
  ::freeaddrinfo(found);
  return addresses;
}

}  // namespace

// What the look-up and its thread share.
struct LookUp::State {
  void post(boost::system::result<Addresses> result) {
    const std::lock_guard lock(mutex);
    if (executor) {
      boost::asio::post(*executor, [state = weak.lock(), result = std::move(result)] {
        if (const Done then = std::exchange(state->done, nullptr)) {
          then(result);
        }
      });
    }
  }

  std::weak_ptr<State> weak;
  Done done;  // nullptr: was called, or nobody waits any more; the executor's thread has it

  std::mutex mutex;
  std::optional<base::Executor> executor;  // nullopt: the loop may be gone
};

LookUp::LookUp(base::Executor executor, const std::string& host, std::uint16_t port, Done done)
    : state_(std::make_shared<State>()) {
  state_->weak = state_;
  state_->done = std::move(done);
  state_->executor = executor;
  const base::SignalsHeld held;
  try {
    std::thread([state = state_, host, port] { state->post(look_up(host, port)); }).detach();
  } catch (const std::system_error& error) {
    state_->post(boost::system::error_code(error.code().value(), boost::system::system_category()));
  }
}

LookUp::~LookUp() {
  state_->done = nullptr;
  const std::lock_guard lock(state_->mutex);
  state_->executor.reset();
}

}  // namespace vrelo::net
