// SPDX-License-Identifier: Apache-2.0
#include "hub/net/epoll_streams.h"

#include <algorithm>
#include <cassert>
#include <cerrno>
#include <utility>

#include <sys/socket.h>
#include <unistd.h>

#include "hub/base/last_error.h"
#include "hub/net/tcp.h"

namespace vrelo::net {
namespace {

// What is thrown away in one go.
constexpr std::size_t kHeardAtOnce = 4096;

epoll_event interest(int fd, bool writable) {
  epoll_event event = {};
  event.events = EPOLLIN | EPOLLRDHUP | (writable ? EPOLLOUT : 0U);
  event.data.fd = fd;
  return event;
}

}  // namespace

EpollStreams::EpollStreams(base::Executor executor)
    : set_(executor), self_(std::make_shared<EpollStreams*>(this)) {}

EpollStreams::~EpollStreams() {
  stop();
  for (std::size_t page = 0; page < pages_.size(); ++page) {
    for (std::size_t i = 0; pages_[page] != nullptr && i < kPage; ++i) {
      if ((*pages_[page])[i].state != State::kFree) {
        close(static_cast<int>(page * kPage + i));
      }
    }
  }
}

boost::system::result<void> EpollStreams::start(StreamEvents& events) {
  assert(events_ == nullptr && !set_.is_open());
  const int set = ::epoll_create1(EPOLL_CLOEXEC);
  if (set < 0) {
    return base::last_error();
  }
  boost::system::error_code error;
  set_.assign(set, error);
  if (error) {
    ::close(set);
    return error;
  }
  events_ = &events;
  wait();
  return {};
}

void EpollStreams::stop() {
  events_ = nullptr;
  self_.reset();
  if (set_.is_open()) {
    boost::system::error_code ignored;
    set_.cancel(ignored);
  }
}

void EpollStreams::keep(int fd, base::Admission::Place place, std::unique_ptr<StreamRight> right) {
  Stream& stream = make(fd);
  assert(stream.state == State::kFree);
  stream.place = std::move(place);
  stream.right = std::move(right);
}

std::vector<int> EpollStreams::without_right() const {
  std::vector<int> found;
  for (std::size_t page = 0; page < pages_.size(); ++page) {
    for (std::size_t i = 0; pages_[page] != nullptr && i < kPage; ++i) {
      const Stream& stream = (*pages_[page])[i];
      if (stream.state == State::kWatched && stream.right == nullptr) {
        found.push_back(static_cast<int>(page * kPage + i));
      }
    }
  }
  return found;
}

Sent EpollStreams::send(int fd, std::string_view bytes) {
  return send_now(fd, bytes);
}

Sent EpollStreams::send(int fd, std::span<const iovec> pieces) {
  return send_now(fd, pieces);
}

void EpollStreams::want_writable(int fd, bool wanted) {
  Stream& stream = at(fd);
  if (stream.state != State::kWatched || stream.wants_writable == wanted) {
    return;
  }
  stream.wants_writable = wanted;
  epoll_event event = interest(fd, wanted);
  [[maybe_unused]] const int result = ::epoll_ctl(set_.native_handle(), EPOLL_CTL_MOD, fd, &event);
  assert(result == 0);  // it is in the set, and changing it takes no memory
}

Peer EpollStreams::peer(int fd) const {
  return ask_peer(fd);
}

bool EpollStreams::adopt(int fd) {
  Stream& stream = make(fd);
  assert(stream.state == State::kFree);
  epoll_event event = interest(fd, false);
  if (!set_.is_open() || ::epoll_ctl(set_.native_handle(), EPOLL_CTL_ADD, fd, &event) != 0) {
    ::close(fd);
    stream = Stream{};
    return false;
  }
  stream.state = State::kWatched;
  return true;
}

void EpollStreams::close(int fd) {
  Stream& stream = at(fd);
  // The place is given back when the descriptor is free again.
  const base::Admission::Place place = std::move(stream.place);
  if (stream.state == State::kWatched) {
    forget(fd);
  }
  stream = Stream{};
  ::close(fd);
}

EpollStreams::Stream& EpollStreams::make(int fd) {
  assert(fd >= 0);
  const auto page = static_cast<std::size_t>(fd) / kPage;
  if (page >= pages_.size()) {
    pages_.resize(page + 1);
  }
  if (pages_[page] == nullptr) {
    pages_[page] = std::make_unique<Page>();
  }
  return (*pages_[page])[static_cast<std::size_t>(fd) % kPage];
}

EpollStreams::Stream& EpollStreams::at(int fd) {
  const auto page = static_cast<std::size_t>(fd) / kPage;
  assert(fd >= 0 && page < pages_.size() && pages_[page] != nullptr);
  Stream& stream = (*pages_[page])[static_cast<std::size_t>(fd) % kPage];
  assert(stream.state != State::kFree);
  return stream;
}

// Asio looks at the set anew each time that it is waited for, so what one batch left is in the
// next.
void EpollStreams::wait() {
  set_.async_wait(decltype(set_)::wait_read,
                  [weak = std::weak_ptr(self_)](const boost::system::error_code& error) {
                    const auto self = weak.lock();
                    if (self != nullptr && !error) {
                      (*self)->handle_batch();
                    }
                  });
}

void EpollStreams::handle_batch() {
  const int count = ::epoll_wait(set_.native_handle(), batch_.data(), kBatch, 0);
  batch_next_ = 0;
  batch_end_ = static_cast<std::size_t>(std::max(count, 0));  // EINTR: the next turn looks again
  while (batch_next_ < batch_end_ && events_ != nullptr) {
    const epoll_event event = batch_[batch_next_++];
    if (event.data.fd >= 0) {
      handle(event.data.fd, event.events);
    }
  }
  batch_end_ = 0;
  if (events_ != nullptr) {
    wait();
  }
}

void EpollStreams::handle(int fd, std::uint32_t what) {
  Stream& stream = at(fd);
  assert(stream.state == State::kWatched);
  if ((what & (EPOLLHUP | EPOLLRDHUP | EPOLLERR)) != 0 ||
      ((what & EPOLLIN) != 0 && !hear(fd, stream))) {
    report_gone(fd, stream);
    return;
  }
  if ((what & EPOLLOUT) != 0 && stream.wants_writable) {
    events_->on_writable(fd);
  }
}

// Throws away what the peer sent. False: the stream is to be given up.
bool EpollStreams::hear(int fd, Stream& stream) {
  std::array<char, kHeardAtOnce> heard;  // NOLINT(*-member-init): recv fills it
  const ssize_t size = ::recv(fd, heard.data(), heard.size(), MSG_DONTWAIT);
  if (size <= 0) {
    return size < 0 && (errno == EAGAIN || errno == EINTR);
  }
  stream.heard += std::max(static_cast<std::uint32_t>(size), kReadMin);
  return stream.heard <= kHeardMax;
}

void EpollStreams::report_gone(int fd, Stream& stream) {
  // Not to be told again and again, should the receiver close it later.
  forget(fd);
  stream.state = State::kGone;
  events_->on_gone(fd);
}

// Takes the descriptor out of the set and of what is still to be told, so that the next stream with
// the same number does not get the events of this one. Closing it would take it out of the set too,
// but only if no copy of it were left, in a child process before its exec() for one.
void EpollStreams::forget(int fd) {
  [[maybe_unused]] const int result = ::epoll_ctl(set_.native_handle(), EPOLL_CTL_DEL, fd, nullptr);
  assert(result == 0);
  for (std::size_t i = batch_next_; i < batch_end_; ++i) {
    if (batch_[i].data.fd == fd) {
      batch_[i].data.fd = -1;
    }
  }
}

}  // namespace vrelo::net
