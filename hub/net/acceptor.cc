// SPDX-License-Identifier: Apache-2.0
#include "hub/net/acceptor.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <utility>

#include <boost/asio/posix/basic_stream_descriptor.hpp>

#include <sys/socket.h>

namespace vrelo::net {
namespace {

using boost::asio::ip::tcp;

constexpr int kBatch = 64;
constexpr std::chrono::milliseconds kPause{100};

// Whether accept() says something about the one connection that it took from the queue: it broke
// before it was accepted, or a firewall forbids it. Source: accept(2), "Error handling".
bool is_of_the_connection(int error) {
  constexpr std::array kErrors = {ECONNABORTED, EINTR,    EPERM,      EPROTO,
                                  ENOPROTOOPT,  ENETDOWN, EHOSTDOWN,  EHOSTUNREACH,
                                  ENETUNREACH,  ENONET,   EOPNOTSUPP, ETIMEDOUT};
  return std::find(kErrors.begin(), kErrors.end(), error) != kErrors.end();
}

}  // namespace

class Acceptor::Core final : public std::enable_shared_from_this<Core> {
 public:
  explicit Core(Parts&& parts) : parts_(std::move(parts)), socket_(parts_.executor) {}

  Core(const Core&) = delete;
  Core& operator=(const Core&) = delete;

  boost::system::result<void> start(Listener&& listener) {
    boost::system::error_code error;
    socket_.assign(listener.fd(), error);
    if (error) {
      return error;
    }
    std::move(listener).release();
    alarm_ = parts_.make_alarm([this] { wait(); });
    wait();
    return {};
  }

  void stop() {
    boost::system::error_code ignored;  // it is closed in any case
    socket_.close(ignored);
    alarm_.reset();
  }

 private:
  void wait() {
    socket_.async_wait(decltype(socket_)::wait_read,
                       [weak = weak_from_this()](const boost::system::error_code& error) {
                         const auto core = weak.lock();
                         if (core != nullptr && !error) {
                           core->accept_some();
                         }
                       });
  }

  void accept_some() {
    for (int i = 0; i < kBatch && socket_.is_open(); ++i) {
      if (!parts_.has_room()) {
        alarm_->set(parts_.clock.steady() + kPause);
        return;
      }
      tcp::endpoint peer;
      auto size = static_cast<socklen_t>(peer.capacity());
      const int fd =
          ::accept4(socket_.native_handle(), peer.data(), &size, SOCK_NONBLOCK | SOCK_CLOEXEC);
      if (fd >= 0) {
        peer.resize(std::min<std::size_t>(size, peer.capacity()));
        parts_.on_accept(fd, peer);
      } else if (errno == EAGAIN) {
        break;  // the queue is empty, or another shard was faster
      } else if (!is_of_the_connection(errno)) {
        pause(errno);
        return;
      }
    }
    if (socket_.is_open()) {
      wait();
    }
  }

  void pause(int error) {
    alarm_->set(parts_.clock.steady() + kPause);
    parts_.on_trouble(boost::system::error_code(error, boost::system::system_category()));
  }

  const Parts parts_;
  boost::asio::posix::basic_stream_descriptor<base::Executor> socket_;
  std::unique_ptr<Alarm> alarm_;
};

Acceptor::Acceptor(Parts parts, Listener listener)
    : core_(std::make_shared<Core>(std::move(parts))), listener_(std::move(listener)) {}

Acceptor::~Acceptor() {
  stop();
}

boost::system::result<void> Acceptor::start() {
  assert(core_ != nullptr && listener_);
  auto result = core_->start(std::move(*listener_));
  listener_.reset();
  return result;
}

void Acceptor::stop() {
  listener_.reset();
  if (core_ != nullptr) {
    std::exchange(core_, nullptr)->stop();
  }
}

}  // namespace vrelo::net
