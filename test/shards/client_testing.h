// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <boost/asio/ip/tcp.hpp>

namespace vrelo::api {

// The other end of a connection, which waits for each thing it asks for. What does not come within
// kPatience fails the test.
class Client {
 public:
  static constexpr timeval kPatience{.tv_sec = 60, .tv_usec = 0};

  explicit Client(const boost::asio::ip::tcp::endpoint& hub)
      : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &kPatience, sizeof kPatience);
    EXPECT_EQ(::connect(fd_, hub.data(), static_cast<socklen_t>(hub.size())), 0);
  }
  Client(Client&& other) noexcept
      : fd_(std::exchange(other.fd_, -1)), read_(std::move(other.read_)) {}
  Client& operator=(Client&&) = delete;
  ~Client() {
    if (fd_ >= 0) {
      ::close(fd_);
    }
  }

  void send(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) {
        return;  // the answer, or its absence, tells
      }
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
  }

  // Sends the request for an event on `topic`, without waiting for the answer.
  void send_publish(std::string_view topic, std::string_view data, std::string_view id = {}) {
    std::string form = fmt::format("topic={}&data={}", topic, data);
    form += id.empty() ? "" : fmt::format("&id={}", id);
    send(
        fmt::format("POST /.well-known/mercure HTTP/1.1\r\nHost: localhost\r\n"
                    "Content-Type: application/x-www-form-urlencoded\r\n"
                    "Content-Length: {}\r\n\r\n{}",
                    form.size(), form));
  }

  // Sends the request for a stream of `topic`, from after the event `last_event_id` if it is not
  // "".
  void send_subscribe(std::string_view topic, std::string_view last_event_id = {}) {
    send(fmt::format(
        "GET /.well-known/mercure?match={} HTTP/1.1\r\nHost: localhost\r\n"
        "Accept: text/event-stream\r\n{}\r\n",
        topic, last_event_id.empty() ? "" : fmt::format("Last-Event-ID: {}\r\n", last_event_id)));
  }

  // Returns what comes up to the next `end`, without it; nullopt: the connection ended before.
  std::optional<std::string> read_to(std::string_view end) {
    std::size_t at = 0;
    while ((at = read_.find(end)) == std::string::npos) {
      if (!read_more()) {
        return std::nullopt;
      }
    }
    std::string text = read_.substr(0, at);
    read_.erase(0, at + end.size());
    return text;
  }

  // Reads an answer, and returns its status and body; nullopt: the connection ended before.
  std::optional<std::pair<int, std::string>> read_answer() {
    const auto head = read_to("\r\n\r\n");
    if (!head) {
      return std::nullopt;
    }
    constexpr std::string_view kLength = "\r\nContent-Length: ";
    const std::size_t at = head->find(kLength);
    const std::size_t length =
        at == std::string::npos ? 0 : std::stoul(head->substr(at + kLength.size()));
    while (read_.size() < length) {
      if (!read_more()) {
        return std::nullopt;
      }
    }
    std::string body = read_.substr(0, length);
    read_.erase(0, length);
    return std::pair(std::stoi(head->substr(9, 3)), std::move(body));
  }

 private:
  bool read_more() {
    char buffer[16'384];
    const ssize_t got = ::recv(fd_, buffer, sizeof buffer, 0);
    EXPECT_FALSE(got < 0 && errno == EAGAIN) << "nothing came; so far: " << read_;
    if (got <= 0) {
      return false;
    }
    read_.append(buffer, static_cast<std::size_t>(got));
    return true;
  }

  int fd_;
  std::string read_;
};

}  // namespace vrelo::api
