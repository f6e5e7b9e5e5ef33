// SPDX-License-Identifier: Apache-2.0
#include "hub/api/connection.h"

#include <algorithm>
#include <utility>

#include "hub/api/front.h"

namespace vrelo::api {
namespace {

using std::chrono_literals::operator""s;

// How long an unused connection is kept for its next request: longer than most clients and proxies
// keep theirs, so that they close it, and not we just as they send.
constexpr std::chrono::milliseconds kIdleTime = 75s;

// How long the other end may take no byte of its answers.
constexpr std::chrono::milliseconds kAnswerTime = 30s;

// What is read after the last answer, so that its sender can read that. Closing with bytes unread
// would reset the connection, and with it the answer.
constexpr std::chrono::milliseconds kLingerTime = 2s;
constexpr std::size_t kLingerBytes = std::size_t{1} << 20;

// How much of answers is collected while further requests are at hand.
constexpr std::size_t kAnswerBytes = std::size_t{64} << 10;

// How many bytes of requests that are not answered yet the connections of a shard may hold, so that
// many that send slowly, or a log that does not answer, cannot use up the memory. Beyond, whoever
// has sent no more than kAlwaysBytes may go on, and so may the only one that holds much.
constexpr std::size_t kUnansweredBytesMax = std::size_t{64} << 20;
constexpr std::size_t kAlwaysBytes = std::size_t{64} << 10;

http::Problem too_slow() {
  return {
      .status = 408, .title = "request timeout", .detail = "the request did not arrive in time"};
}

}  // namespace

Connection::Connection(Front& front,
                       int fd,
                       const boost::asio::ip::tcp::endpoint& peer,
                       Listener listener,
                       Admitted admitted)
    : front_(front),
      socket_(front.parts_.executor, front.deadlines_, fd),
      peer_(peer),
      listener_(listener),
      admitted_(std::move(admitted)),
      accepted_at_(front.parts_.clock.steady()),
      policy_(front.policy_),
      parser_(std::in_place, policy_->request_limits),
      is_late_(front.finishing()),
      finishing_(is_late_) {
  front_.add(*this);
}

Connection::~Connection() {
  front_.unanswered_bytes_ -= counted_bytes_;
  front_.remove(*this);
}

base::Task<void> Connection::run(std::unique_ptr<Connection> connection) {
  co_await connection->serve();
  co_await connection->finish_publishes();
}

void Connection::finish() {
  finishing_ = true;
  if (waits_for_request_) {
    socket_.cancel();
  } else {
    set_deadline(kLingerTime);
  }
}

void Connection::abort() {
  finishing_ = true;
  socket_.close();
  if (asking_ != nullptr) {
    asking_->cancel();
  }
}

base::Task<void> Connection::serve() {
  set_deadline(admitted_ ? policy_->request_time : kLingerTime);
  Next next = Next::kGoOn;
  while (next == Next::kGoOn) {
    switch (parser_->next()) {
      case http::RequestParser::Progress::kNeedMore: {
        if (!publishes_.empty()) {
          co_await finish_publishes();
        }
        auto sent = send_at_once();
        if (!sent) {  // no "?:", of which GCC 12 would run both sides
          sent = co_await send();
        }
        if (!*sent || !co_await receive()) {
          co_return;
        }
        break;
      }
      case http::RequestParser::Progress::kContinue:
        co_await finish_publishes();
        out_ += http::kContinueResponse;
        break;
      case http::RequestParser::Progress::kRequest:
        next = co_await handle();
        break;
      case http::RequestParser::Progress::kRefused:
        co_await finish_publishes();
        next = refuse_unread(parser_->problem());
        break;
    }
    if (out_.size() > kAnswerBytes && !co_await send()) {
      co_return;
    }
  }
  if (next == Next::kClose && co_await send()) {
    co_await linger();
  }
}

// Gives the parser the next bytes. False: the connection has ended, and out_ may hold a last word.
base::Task<bool> Connection::receive() {
  if (!socket_.is_open()) {
    co_return false;  // the loop could not watch it
  }
  const bool between = answered_ && parser_->idle();
  if (between && finishing_) {
    co_await linger();
    co_return false;
  }
  if (holds_too_much()) {
    refuse_unread_for_now(Obstacle::kTooManyBytes);
    parser_.emplace(policy_->request_limits);  // now, so that there is room for the others
    count_held();
    if (co_await send()) {
      co_await linger();
    }
    co_return false;
  }
  if (std::exchange(deadline_due_, false)) {
    set_deadline(between ? kIdleTime : policy_->request_time);
  }
  // What follows the accept is often there, what follows an answer is not. And the others have
  // their turn before more is read, however much a sender has at hand.
  bool wait = std::exchange(has_received_, true);
  while (true) {
    waits_for_request_ = between;
    const bool is_readable = !wait || co_await socket_.readable();
    waits_for_request_ = false;
    if (!is_readable) {
      if (socket_.expired() && !between && !parser_->idle() && socket_.is_open()) {
        refuse_unread(too_slow());
        if (co_await send()) {
          co_await linger();
        }
      }
      co_return false;
    }
    wait = true;
    const net::Received received = socket_.receive(front_.buffer_);
    if (received.bytes > 0) {
      if (between) {
        take_policy();
        deadline_due_ = true;  // most requests come whole, and then it is not needed
      }
      parser_->feed({front_.buffer_.data(), received.bytes});
      co_return true;
    }
    if (received.ended || received.failed) {
      co_return false;
    }
  }
}

// Sends what is in out_. False: the connection is of no more use.
base::Task<bool> Connection::send() {
  auto sent = send_at_once();
  while (!sent) {
    set_deadline(kAnswerTime);
    if (!co_await socket_.writable()) {
      co_return false;
    }
    sent = send_at_once();
  }
  co_return *sent;
}

// The same without a wait. nullopt: the kernel did not take all of it.
std::optional<bool> Connection::send_at_once() {
  if (out_.empty()) {
    return true;
  }
  const net::Sent sent = socket_.is_open() ? socket_.send(out_) : net::Sent{.failed = true};
  if (sent.failed) {
    return false;
  }
  out_.erase(0, sent.bytes);
  if (!out_.empty()) {
    return std::nullopt;
  }
  if (out_.capacity() > kAnswerBytes) {
    out_.shrink_to_fit();
  }
  return true;
}

base::Task<void> Connection::linger() {
  socket_.shutdown_send();
  set_deadline(kLingerTime);
  for (std::size_t thrown_away = 0; thrown_away < kLingerBytes;) {
    const net::Received received = socket_.receive(front_.buffer_);
    thrown_away += received.bytes;
    if (received.ended || received.failed) {
      co_return;
    }
    if (received.bytes == 0 && !co_await socket_.readable()) {
      co_return;
    }
  }
}

// What an operator changed holds from the next request on.
void Connection::take_policy() {
  if (policy_ != front_.policy_) {
    policy_ = front_.policy_;
    parser_.emplace(policy_->request_limits);
    host_.clear();
  }
}

// Counts what the connection holds, and returns it.
std::size_t Connection::count_held() {
  const std::size_t held = parser_->held_bytes() + publish_bytes_;
  front_.unanswered_bytes_ += held - counted_bytes_;
  counted_bytes_ = held;
  return held;
}

// Whether there is no room for more of it.
bool Connection::holds_too_much() {
  const std::size_t held = count_held();
  return held > kAlwaysBytes && front_.unanswered_bytes_ - held > kUnansweredBytesMax;
}

void Connection::set_deadline(std::chrono::milliseconds from_now) {
  socket_.set_deadline(front_.parts_.clock.steady() + from_now);
}

}  // namespace vrelo::api
