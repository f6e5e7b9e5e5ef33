// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include <gtest/gtest.h>
#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/write.hpp>

namespace vrelo::sse::client {

// Runs the loop until `condition` holds. That it never does is a failure of the test.
template <typename Condition>
void run_until(boost::asio::io_context& loop, Condition condition) {
  loop.restart();
  while (!condition()) {
    if (loop.run_one_for(std::chrono::seconds(20)) == 0) {
      FAIL() << "what the test waits for does not come";
    }
  }
}

// Runs what the loop has to do by now.
inline void settle(boost::asio::io_context& loop) {
  loop.restart();
  while (loop.poll() > 0) {
  }
}

// The server's side of one connection.
class Peer {
 public:
  using Tcp = boost::asio::ip::tcp;

  Peer(boost::asio::io_context& loop, Tcp::socket socket)
      : loop_(loop), socket_(std::make_unique<Tcp::socket>(std::move(socket))) {}

  // Returns what the client has sent up to and with `until`.
  std::string receive(std::string_view until = "\r\n\r\n") {
    while (received_.find(until) == std::string::npos && !client_is_gone_) {
      read_some();
    }
    const std::size_t found = received_.find(until);
    const std::size_t end = found == std::string::npos ? received_.size() : found + until.size();
    const std::string taken = received_.substr(0, end);
    received_.erase(0, end);
    return taken;
  }

  // Returns the next `bytes` that the client sends.
  std::string receive(std::size_t bytes) {
    while (received_.size() < bytes && !client_is_gone_) {
      read_some();
    }
    const std::string taken = received_.substr(0, bytes);
    received_.erase(0, taken.size());
    return taken;
  }

  // Writes all of `bytes`, or what the client takes before it closes.
  void send(std::string_view bytes) {
    bool is_sent = false;
    boost::asio::async_write(*socket_, boost::asio::buffer(bytes),
                             [&is_sent](const auto&, std::size_t) { is_sent = true; });
    run_until(loop_, [&is_sent] { return is_sent; });
  }

  // Ends the connection as a server does that has nothing more to say.
  void end() { socket_.reset(); }

  // Breaks it, so that the client's next operation fails.
  void reset() {
    socket_->set_option(boost::asio::socket_base::linger(true, 0));
    socket_->close();  // a destructor would end it gently
    socket_.reset();
  }

  // Waits until the client has closed.
  void expect_close() {
    while (!client_is_gone_) {
      read_some();
    }
  }

 private:
  void read_some() {
    bool is_read = false;
    socket_->async_read_some(boost::asio::buffer(buffer_),
                             [this, &is_read](const auto& error, std::size_t bytes) {
                               received_.append(buffer_.data(), bytes);
                               client_is_gone_ = client_is_gone_ || error;
                               is_read = true;
                             });
    run_until(loop_, [&is_read] { return is_read; });
    client_is_gone_ = client_is_gone_ || !is_read;
  }

  boost::asio::io_context& loop_;
  std::unique_ptr<Tcp::socket> socket_;
  std::array<char, 4096> buffer_{};
  std::string received_;
  bool client_is_gone_ = false;
};

// A server on loopback, for clients on the same loop. The test speaks its side of each
// conversation, and the loop runs only inside the calls of the test.
class TestServer {
 public:
  using Tcp = boost::asio::ip::tcp;

  explicit TestServer(boost::asio::io_context& loop)
      : loop_(loop),
        acceptor_(loop, Tcp::endpoint(boost::asio::ip::address_v4::loopback(), 0)),
        endpoint_(acceptor_.local_endpoint()) {}

  std::uint16_t port() const { return endpoint_.port(); }
  std::string authority() const { return "127.0.0.1:" + std::to_string(port()); }
  std::string url(std::string_view target = "/") const {
    return "http://" + authority() + std::string(target);
  }

  // Waits for the next connection.
  Peer accept() {
    Tcp::socket socket(loop_);
    bool is_there = false;
    acceptor_.async_accept(socket, [&is_there](const auto&) { is_there = true; });
    run_until(loop_, [&is_there] { return is_there; });
    return {loop_, std::move(socket)};
  }

  // Refuses connections from now on, and takes them again, at the same port.
  void close() { acceptor_.close(); }
  void reopen() { acceptor_ = Tcp::acceptor(loop_, endpoint_); }

 private:
  boost::asio::io_context& loop_;
  Tcp::acceptor acceptor_;
  const Tcp::endpoint endpoint_;
};

}  // namespace vrelo::sse::client
