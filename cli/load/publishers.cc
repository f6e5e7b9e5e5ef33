// SPDX-License-Identifier: Apache-2.0
#include "cli/load/publishers.h"

#include <poll.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <iterator>
#include <thread>
#include <utility>

#include <fmt/format.h>

#include "cli/load/dial.h"
#include "hub/base/last_error.h"

namespace vrelo::cli::load {
namespace {

using boost::system::error_code;
using std::chrono::milliseconds;
using std::chrono::nanoseconds;
using std::chrono::steady_clock;

constexpr std::size_t kReceiveBytes = 65536;
constexpr milliseconds kTurnMax{100};  // until it looks whether it was stopped

// An event that is due so soon is waited for to the nanosecond, as epoll cannot.
constexpr nanoseconds kSleepMax = std::chrono::microseconds(1200);

// One that is later than this has waited for a connection, and not for the system's timer.
constexpr nanoseconds kLate = std::chrono::microseconds(300);

std::string head_of(const Workload& workload) {
  const Target& target = workload.publish;
  std::string text =
      fmt::format("{} {} HTTP/1.1\r\nHost: {}\r\nContent-Type: {}\r\n", workload.method,
                  target.path, target.authority, workload.content_type);
  for (const auto& [name, value] : target.fields) {
    text += fmt::format("{}: {}\r\n", name, value);
  }
  return text;
}

}  // namespace

Publishers::Publishers(const Workload& workload, const Messages& messages)
    : workload_(workload),
      messages_(messages),
      request_head_(head_of(workload)),
      epoll_(::epoll_create1(EPOLL_CLOEXEC)),
      connections_(workload.publishers),
      buffer_(kReceiveBytes),
      random_(std::random_device()()) {}

void Publishers::run() {
  ::prctl(PR_SET_TIMERSLACK, 1);  // of this thread
  for (std::size_t i = 0; i < connections_.size() && !is_stopped_; ++i) {
    connections_[i].number = i;
    connections_[i].next_event = i;
    if (const error_code error = connect(connections_[i])) {
      fail(error.message());
    }
  }
  counts_.first_sent = progress_at_ = steady_clock::now();
  std::array<epoll_event, 64> events = {};
  while (finished_ < workload_.events && !is_stopped_) {
    const Steady now = steady_clock::now();
    if (now - progress_at_ > workload_.patience) {
      fail("no answer");
      break;
    }
    milliseconds wait = kTurnMax;
    if (workload_.rate > 0) {
      wait = send_what_is_due(now);
    } else {
      send_what_fits();
    }
    const int count = ::epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()),
                                   static_cast<int>(wait.count()));
    for (int i = 0; i < count; ++i) {
      receive(connections_[events[static_cast<std::size_t>(i)].data.u64]);
    }
    for (Connection& connection : connections_) {
      flush(connection);
    }
  }
  is_done_ = true;
}

error_code Publishers::connect(Connection& connection) {
  auto socket = dial(workload_.publish.address, {});
  if (!socket) {
    return socket.error();
  }
  pollfd wanted = {.fd = socket->get(), .events = POLLOUT, .revents = 0};
  if (::poll(&wanted, 1, static_cast<int>(workload_.patience.count())) != 1) {
    return make_error_code(boost::system::errc::timed_out);
  }
  if (const error_code error = connect_error(socket->get())) {
    return error;
  }
  connection.socket = *std::move(socket);
  return watch(epoll_.get(), EPOLL_CTL_ADD, connection.socket.get(), EPOLLIN, connection.number);
}

// Fills each connection's pipeline, with one write.
void Publishers::send_what_fits() {
  for (Connection& connection : connections_) {
    while (connection.unanswered.size() < workload_.pipeline &&
           connection.next_event < workload_.events) {
      add_request(connection, steady_clock::now());
    }
    flush(connection);
  }
}

// Returns how long to wait for answers before something is due again.
milliseconds Publishers::send_what_is_due(Steady now) {
  for (; begun_ < workload_.events; ++begun_) {
    const Steady due =
        counts_.first_sent +
        nanoseconds(static_cast<std::int64_t>(static_cast<double>(begun_) * 1e9 / workload_.rate));
    if (now < due && due - now < kSleepMax) {
      std::this_thread::sleep_until(due);
      now = steady_clock::now();
    }
    if (now < due) {
      return std::min(std::chrono::floor<milliseconds>(due - now), kTurnMax);
    }
    Connection& connection = connections_[begun_ % connections_.size()];
    if (connection.unanswered.size() >= workload_.pipeline) {
      break;
    }
    add_request(connection, now - due > kLate ? due : now);
    flush(connection);
    now = steady_clock::now();
  }
  return kTurnMax;
}

void Publishers::add_request(Connection& connection, Steady sent) {
  const std::size_t number = connection.next_event;
  const std::string message =
      messages_.write({.number = number, .sent = sent}, workload_.message_bytes);
  const std::string random = fmt::format("{:016x}", random_());
  const std::string body = replaced(
      replaced(replaced(workload_.body, "{message}", message), "{number}", std::to_string(number)),
      "{random}", random);
  fmt::format_to(std::back_inserter(connection.unsent), "{}{}Content-Length: {}\r\n\r\n{}",
                 request_head_, token_field(workload_.publish, number), body.size(), body);
  connection.next_event += connections_.size();
  connection.unanswered.push_back(sent);
  sent_.fetch_add(1, std::memory_order_relaxed);
}

void Publishers::flush(Connection& connection) {
  while (!connection.unsent.empty()) {
    const ssize_t count = ::send(connection.socket.get(), connection.unsent.data(),
                                 connection.unsent.size(), MSG_NOSIGNAL);
    if (count < 0) {
      return;  // full, and more goes later; or broken, which reading shows
    }
    connection.unsent.erase(0, static_cast<std::size_t>(count));
  }
}

void Publishers::receive(Connection& connection) {
  const ssize_t count = ::recv(connection.socket.get(), buffer_.data(), buffer_.size(), 0);
  if (count < 0 && (errno == EAGAIN || errno == EINTR)) {
    return;
  }
  if (count <= 0) {
    reconnect(connection,
              count < 0 ? base::last_error().message() : "the server closed the connection");
  } else if (!take(connection, {buffer_.data(), static_cast<std::size_t>(count)})) {
    reconnect(connection, "the server closed the connection");
  }
}

// Returns false when the connection is of no more use.
bool Publishers::take(Connection& connection, std::string_view bytes) {
  while (!bytes.empty()) {
    if (!connection.response) {
      connection.response.emplace();
    }
    const auto taken = connection.response->feed(bytes);
    if (!taken || connection.unanswered.empty()) {
      return false;
    }
    bytes.remove_prefix(*taken);
    if (!connection.response->is_done()) {
      break;
    }
    const auto& head = *connection.response->head();
    const bool is_accepted = head.status / 100 == 2;
    const bool keeps_alive = head.keeps_alive;
    finish(
        connection,
        is_accepted ? "" : fmt::format("status {}: {}", head.status, connection.response->body()));
    connection.response.reset();
    if (!keeps_alive) {
      return false;
    }
  }
  return true;
}

// The oldest of a connection's requests is answered, or never will be.
void Publishers::finish(Connection& connection, std::string_view failure) {
  const Steady now = steady_clock::now();
  if (failure.empty()) {
    ++counts_.accepted;
    answers_.add(now - connection.unanswered.front());
  } else {
    ++counts_.failed;
    if (counts_.first_failure.empty()) {
      counts_.first_failure = failure;
    }
  }
  connection.unanswered.pop_front();
  ++finished_;
  counts_.last_answer = progress_at_ = now;
}

void Publishers::reconnect(Connection& connection, std::string_view why) {
  while (!connection.unanswered.empty()) {
    finish(connection, why);
  }
  connection.unsent.clear();
  connection.response.reset();
  connection.socket = base::Descriptor();
  ++counts_.reconnects;
  if (finished_ == workload_.events) {
    return;
  }
  if (const error_code error = connect(connection)) {
    fail(error.message());
  }
}

void Publishers::fail(std::string_view why) {
  if (counts_.first_failure.empty()) {
    counts_.first_failure = why;
  }
  is_stopped_ = true;
}

}  // namespace vrelo::cli::load
