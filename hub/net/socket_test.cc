// SPDX-License-Identifier: Apache-2.0
#include "hub/net/socket.h"

#include <array>
#include <chrono>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <gtest/gtest.h>
#include <boost/asio/co_spawn.hpp>

#include "hub/net/alarm_testing.h"
#include "hub/net/epoll_streams.h"
#include "hub/net/loopback_testing.h"

namespace vrelo::net {
namespace {

using std::chrono_literals::operator""s;

class SocketTest : public testing::Test {
 protected:
  SocketTest()
      : socket_(std::make_unique<Socket>(loop_.get_executor(), deadlines_, connection_.release())) {
  }

  ~SocketTest() override {
    socket_->close();
    run_ready(loop_);  // a wait that is pending ends before its Socket does
  }

  void begin_wait(base::Task<bool> (Socket::*wait)()) {
    result_.reset();
    boost::asio::co_spawn(loop_, (*socket_.*wait)(),
                          [this](const std::exception_ptr& error, bool result) {
                            ASSERT_EQ(error, nullptr);
                            result_ = result;
                          });
    run_ready(loop_);
  }

  // What the wait ends with.
  bool end_wait() {
    run_until(loop_, [this] { return result_.has_value(); });
    return *result_;
  }

  void advance(std::chrono::nanoseconds by) {
    clock_.advance(by);
    alarms_.ring_due();
  }

  base::Clock::Steady in(std::chrono::nanoseconds time) const { return clock_.steady() + time; }

  std::string_view receive(Received& received) {
    received = socket_->receive(buffer_);
    return {buffer_.data(), received.bytes};
  }

  void fill() {
    const std::string bytes(65'536, 'x');
    while (socket_->send(bytes).bytes == bytes.size()) {
    }
  }

  boost::asio::io_context loop_{1};
  base::ManualClock clock_;
  FakeAlarms alarms_{clock_};
  Deadlines deadlines_{clock_, alarms_.maker()};
  Loopback connection_{4096};
  std::unique_ptr<Socket> socket_;
  std::array<char, 1024> buffer_ = {};
  std::optional<bool> result_;
};

TEST_F(SocketTest, waits_until_there_is_something_to_read) {
  Received received;
  EXPECT_EQ(receive(received), "");
  EXPECT_FALSE(received.ended || received.failed);
  begin_wait(&Socket::readable);
  EXPECT_EQ(result_, std::nullopt);
  connection_.client.send("hello");
  EXPECT_TRUE(end_wait());
  EXPECT_EQ(receive(received), "hello");
  EXPECT_FALSE(received.ended || received.failed);
}

TEST_F(SocketTest, is_readable_again_as_long_as_something_is_left) {
  connection_.client.send("ab");
  for (const std::string_view letter : {"a", "b"}) {
    begin_wait(&Socket::readable);
    EXPECT_TRUE(end_wait());
    EXPECT_EQ(socket_->receive(std::span(buffer_).first(1)).bytes, 1U);
    EXPECT_EQ(buffer_[0], letter[0]);
  }
  begin_wait(&Socket::readable);
  EXPECT_EQ(result_, std::nullopt);
}

TEST_F(SocketTest, tells_the_end_from_an_error) {
  connection_.client.shutdown_send();
  begin_wait(&Socket::readable);
  EXPECT_TRUE(end_wait());
  Received received = socket_->receive(buffer_);
  EXPECT_TRUE(received.ended);
  EXPECT_FALSE(received.failed);
  EXPECT_EQ(socket_->send("still read").bytes, 10U);
  EXPECT_EQ(connection_.client.receive(10), "still read");

  connection_.client.reset();
  begin_wait(&Socket::readable);
  EXPECT_TRUE(end_wait());
  received = socket_->receive(buffer_);
  EXPECT_TRUE(received.failed || received.ended);  // the kernel had told the end before
  EXPECT_TRUE(socket_->send("x").failed);
}

TEST_F(SocketTest, waits_until_there_is_room_to_write) {
  fill();
  begin_wait(&Socket::writable);
  EXPECT_EQ(result_, std::nullopt);
  std::size_t drained = 0;
  while (!result_) {
    drained += connection_.client.receive(4096).size();
    run_ready(loop_);
  }
  EXPECT_GT(drained, 0U);
  EXPECT_TRUE(*result_);
  EXPECT_EQ(socket_->send("x").bytes, 1U);
}

TEST_F(SocketTest, ends_waits_when_the_deadline_has_passed) {
  socket_->set_deadline(in(10s));
  begin_wait(&Socket::readable);
  advance(9s);
  run_ready(loop_);
  EXPECT_EQ(result_, std::nullopt);
  advance(1s);
  EXPECT_FALSE(end_wait());
  EXPECT_TRUE(socket_->expired());

  connection_.client.send("too late");
  begin_wait(&Socket::readable);
  EXPECT_EQ(result_, false);
  socket_->set_deadline(in(10s));
  EXPECT_FALSE(socket_->expired());
  begin_wait(&Socket::readable);
  EXPECT_TRUE(end_wait());
}

TEST_F(SocketTest, has_no_deadline_at_first_and_once_it_is_cleared) {
  begin_wait(&Socket::readable);
  advance(1000s);
  socket_->set_deadline(in(1s));
  socket_->clear_deadline();
  advance(1000s);
  run_ready(loop_);
  EXPECT_EQ(result_, std::nullopt);
  EXPECT_FALSE(socket_->expired());
}

TEST_F(SocketTest, ends_the_pending_wait_when_it_is_cancelled) {
  socket_->cancel();  // of no effect: there is none
  begin_wait(&Socket::readable);
  EXPECT_EQ(result_, std::nullopt);
  socket_->cancel();
  EXPECT_FALSE(end_wait());
  EXPECT_FALSE(socket_->expired());
  connection_.client.send("x");
  begin_wait(&Socket::readable);
  EXPECT_TRUE(end_wait());
}

TEST_F(SocketTest, ends_the_pending_wait_when_it_is_closed) {
  begin_wait(&Socket::readable);
  const int fd = socket_->fd();
  socket_->close();
  socket_->close();
  EXPECT_FALSE(end_wait());
  EXPECT_FALSE(socket_->is_open());
  EXPECT_FALSE(is_open(fd));
  EXPECT_TRUE(connection_.client.at_end());
  begin_wait(&Socket::writable);
  EXPECT_EQ(result_, false);
}

TEST_F(SocketTest, does_not_call_a_socket_readable_that_was_closed_as_bytes_came) {
  begin_wait(&Socket::readable);
  connection_.client.send("x");
  wait_for_input(socket_->fd());
  boost::asio::post(loop_, [this] { socket_->close(); });  // the loop looks for bytes after it
  EXPECT_FALSE(end_wait());
}

TEST_F(SocketTest, sends_no_more_but_reads_on) {
  EXPECT_EQ(socket_->send("last").bytes, 4U);
  socket_->shutdown_send();
  EXPECT_EQ(connection_.client.receive(4), "last");
  EXPECT_TRUE(connection_.client.at_end());
  connection_.client.send("heard");
  begin_wait(&Socket::readable);
  EXPECT_TRUE(end_wait());
  Received received;
  EXPECT_EQ(receive(received), "heard");
}

TEST_F(SocketTest, hands_over_the_open_socket) {
  socket_->set_deadline(in(10s));
  begin_wait(&Socket::readable);  // so that the loop watches it
  socket_->cancel();
  EXPECT_FALSE(end_wait());
  const int fd = socket_->fd();
  OwnedFd released(socket_->release());
  EXPECT_EQ(released.get(), fd);
  EXPECT_FALSE(socket_->is_open());
  advance(10s);
  connection_.client.send("x");
  EXPECT_EQ(run_ready(loop_), 0U);
  EXPECT_TRUE(is_open(fd));
}

TEST_F(SocketTest, is_closed_from_the_start_where_the_kernel_does_not_watch_it) {
  constexpr int kNotOpen = 19'999;
  Socket socket(loop_.get_executor(), deadlines_, kNotOpen);
  EXPECT_FALSE(socket.is_open());
  std::optional<bool> result;
  boost::asio::co_spawn(loop_, socket.readable(),
                        [&](const std::exception_ptr&, bool readable) { result = readable; });
  run_ready(loop_);
  EXPECT_EQ(result, false);
}

TEST_F(SocketTest, becomes_a_stream) {
  class Events final : public StreamEvents {
    void on_writable(int /*fd*/) override {}
    void on_gone(int fd) override { gone = fd; }

   public:
    int gone = -1;
  };
  Events events;
  EpollStreams streams(loop_.get_executor());
  ASSERT_TRUE(streams.start(events));
  begin_wait(&Socket::writable);
  EXPECT_TRUE(end_wait());
  const int fd = socket_->release();
  ASSERT_TRUE(streams.adopt(fd));
  EXPECT_EQ(streams.send(fd, "data").bytes, 4U);
  EXPECT_EQ(connection_.client.receive(4), "data");
  connection_.client.close();
  run_until(loop_, [&] { return events.gone == fd; });
}

}  // namespace
}  // namespace vrelo::net
