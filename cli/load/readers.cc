// SPDX-License-Identifier: Apache-2.0
#include "cli/load/readers.h"

#include <sys/epoll.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <utility>

#include <fmt/format.h>

#include "cli/load/dial.h"
#include "hub/base/last_error.h"

namespace vrelo::cli::load {
namespace {

using boost::system::error_code;

constexpr std::size_t kReadBytes = std::size_t{256} << 10;
constexpr int kReadsMax = 4;  // of one reader, before the others have their turn
constexpr std::size_t kSeenMax = std::size_t{1} << 32;  // half a gigabyte
constexpr std::uint32_t kSources = 8;

std::string request_of(const Target& target, std::size_t reader) {
  std::string text = fmt::format("GET {} HTTP/1.1\r\nHost: {}\r\n", target.path, target.authority);
  for (const auto& [name, value] : target.fields) {
    text += fmt::format("{}: {}\r\n", name, value);
  }
  return replaced(text, "{reader}", std::to_string(reader)) + token_field(target, reader) + "\r\n";
}

}  // namespace

Readers::Readers(const Workload& workload, const Messages& messages)
    : workload_(workload),
      messages_(messages),
      epoll_(::epoll_create1(EPOLL_CLOEXEC)),
      buffer_(kReadBytes),
      next_number_(workload.readers * workload.publishers) {
  if (workload.events > 0 && workload.readers <= kSeenMax / workload.events) {
    seen_.resize(workload.readers * workload.events);
  }
}

error_code Readers::open_more() {
  while (readers_.size() < workload_.readers &&
         readers_.size() - counts_.open - counts_.refused < workload_.connecting_max) {
    Reader& reader = readers_.emplace_back(*this, readers_.size());
    if (const error_code error = open(reader)) {
      refuse(reader, error.message());
      return error;
    }
  }
  return {};
}

error_code Readers::open(Reader& reader) {
  auto socket = dial(workload_.stream.address,
                     {.source = 1 + static_cast<std::uint32_t>(reader.number % kSources),
                      .reads_slowly = reader.number < workload_.stalled});
  if (!socket) {
    return socket.error();
  }
  reader.socket = *std::move(socket);
  return watch(epoll_.get(), EPOLL_CTL_ADD, reader.socket.get(), EPOLLOUT, reader.number);
}

void Readers::poll(std::chrono::milliseconds wait) {
  std::array<epoll_event, 1024> events = {};
  const int count = ::epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()),
                                 static_cast<int>(wait.count()));
  for (int i = 0; i < count; ++i) {
    Reader& reader = readers_[events[static_cast<std::size_t>(i)].data.u64];
    if (reader.state == State::kConnecting) {
      send_request(reader);
    } else if (reader.state != State::kClosed) {
      read(reader);
    }
  }
}

void Readers::send_request(Reader& reader) {
  const int fd = reader.socket.get();
  if (const error_code error = connect_error(fd)) {
    refuse(reader, error.message());
    return;
  }
  ++counts_.connected;
  const std::string request = request_of(workload_.stream, reader.number);
  // A new socket takes the few bytes of a request at once.
  if (::send(fd, request.data(), request.size(), MSG_NOSIGNAL) !=
      static_cast<ssize_t>(request.size())) {
    refuse(reader, base::last_error().message());
    return;
  }
  reader.state = State::kHead;
  if (const error_code error = watch(epoll_.get(), EPOLL_CTL_MOD, fd, EPOLLIN, reader.number)) {
    refuse(reader, error.message());
  }
}

void Readers::read(Reader& reader) {
  for (int i = 0; i < kReadsMax && reader.state != State::kClosed; ++i) {
    const ssize_t count = ::recv(reader.socket.get(), buffer_.data(), buffer_.size(), 0);
    if (count < 0 && (errno == EAGAIN || errno == EINTR)) {
      return;
    }
    if (count <= 0) {
      if (reader.state == State::kHead) {
        refuse(reader, count < 0 ? base::last_error().message() : "closed without an answer");
      } else {
        close(reader);
      }
      return;
    }
    read_at_ = std::chrono::steady_clock::now();
    take(reader, {buffer_.data(), static_cast<std::size_t>(count)});
    if (static_cast<std::size_t>(count) < buffer_.size()) {
      return;
    }
  }
}

void Readers::take(Reader& reader, std::string_view bytes) {
  // All readers share one string for what they are reading at the moment, so that its memory is
  // needed once.
  std::swap(reader.response.body(), body_);
  const auto taken = reader.response.feed(bytes);
  std::swap(reader.response.body(), body_);
  if (reader.state == State::kHead) {
    read_head(reader);
  }
  if (reader.state == State::kBody) {
    const bool is_fine = taken && reader.decoder.feed(body_);
    if (!is_fine || reader.response.is_done()) {
      close(reader);
    }
  } else if (reader.state == State::kHead && !taken) {
    refuse(reader, taken.error().message());
  }
  body_.clear();
}

void Readers::read_head(Reader& reader) {
  const auto* const head = reader.response.head();
  if (head == nullptr) {
    return;
  }
  if (head->status != 200) {
    refuse(reader, fmt::format("status {}", head->status));
  } else if (!head->content_type.starts_with("text/event-stream")) {
    refuse(reader, "an answer that is no event stream");
  } else {
    reader.state = State::kBody;
    ++counts_.open;
  }
}

void Readers::count(const Reader& reader, std::string_view data) {
  const auto message = messages_.find(data);
  if (!message || message->number >= workload_.events) {
    ++counts_.foreign;
    return;
  }
  if (!seen_.empty()) {
    auto&& is_seen = seen_[reader.number * workload_.events + message->number];
    if (is_seen) {
      ++counts_.doubled;
      return;
    }
    is_seen = true;
  }
  std::size_t& next =
      next_number_[reader.number * workload_.publishers + message->number % workload_.publishers];
  if (message->number < next) {
    ++counts_.reordered;
  } else {
    next = message->number + 1;
  }
  ++counts_.delivered;
  counts_.last_delivery = read_at_;
  if (reader.number < workload_.stalled) {
    ++counts_.delivered_stalled;
  } else {
    latency_.add(read_at_ - message->sent);
  }
}

void Readers::stall() {
  watch_stalled(EPOLL_CTL_DEL);
}

void Readers::resume() {
  watch_stalled(EPOLL_CTL_ADD);
}

void Readers::watch_stalled(int operation) {
  for (std::size_t i = 0; i < workload_.stalled && i < readers_.size(); ++i) {
    if (readers_[i].state == State::kBody) {
      // Nothing can fail here but what reading then shows.
      watch(epoll_.get(), operation, readers_[i].socket.get(), EPOLLIN, i);
    }
  }
}

void Readers::refuse(Reader& reader, std::string_view why) {
  if (counts_.first_refusal.empty()) {
    counts_.first_refusal = why;
  }
  ++counts_.refused;
  reader.state = State::kClosed;
  reader.socket = base::Descriptor();
}

void Readers::close(Reader& reader) {
  ++counts_.cut;
  reader.state = State::kClosed;
  reader.socket = base::Descriptor();
}

}  // namespace vrelo::cli::load
