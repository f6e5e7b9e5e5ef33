// SPDX-License-Identifier: Apache-2.0
#include "hub/net/epoll_streams.h"

#include <array>
#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "hub/net/loopback_testing.h"

namespace vrelo::net {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class EpollStreamsTest : public testing::Test, public StreamEvents {
 protected:
  void SetUp() override { ASSERT_TRUE(streams_->start(*this)); }

  void on_writable(int fd) override {
    writable_.push_back(fd);
    if (act_on_writable_ != nullptr) {
      act_on_writable_(fd);
    } else {
      streams_->want_writable(fd, false);
    }
  }

  void on_gone(int fd) override {
    gone_.push_back(fd);
    if (act_on_gone_ != nullptr) {
      act_on_gone_(fd);
    }
    streams_->close(fd);
  }

  int adopt(Loopback& connection) {
    const int fd = connection.release();
    EXPECT_TRUE(streams_->adopt(fd));
    return fd;
  }

  // Sends until the kernel has no more room.
  std::size_t fill(int fd) {
    const std::string bytes(65'536, 'x');
    std::size_t size = 0;
    while (true) {
      const Sent sent = streams_->send(fd, bytes);
      EXPECT_FALSE(sent.failed);
      size += sent.bytes;
      if (sent.bytes < bytes.size()) {
        return size;
      }
    }
  }

  boost::asio::io_context loop_{1};
  std::unique_ptr<EpollStreams> streams_ = std::make_unique<EpollStreams>(loop_.get_executor());
  std::function<void(int fd)> act_on_writable_;
  std::function<void(int fd)> act_on_gone_;
  std::vector<int> writable_;
  std::vector<int> gone_;
};

TEST_F(EpollStreamsTest, sends_bytes_and_pieces_in_their_order) {
  Loopback connection;
  const int fd = adopt(connection);
  EXPECT_EQ(streams_->send(fd, "first, ").bytes, 7U);
  std::string second = "second, ";
  std::string third = "third";
  const std::array pieces = {iovec{.iov_base = second.data(), .iov_len = second.size()},
                             iovec{.iov_base = third.data(), .iov_len = third.size()}};
  EXPECT_EQ(streams_->send(fd, pieces).bytes, 13U);
  EXPECT_EQ(connection.client.receive(20), "first, second, third");
}

TEST_F(EpollStreamsTest, tells_when_a_full_socket_takes_bytes_again) {
  Loopback connection;
  const int fd = adopt(connection);
  const std::size_t size = fill(fd);
  EXPECT_EQ(streams_->send(fd, "more").bytes, 0U);
  streams_->want_writable(fd, true);
  run_ready(loop_);
  EXPECT_THAT(writable_, IsEmpty());

  EXPECT_EQ(connection.client.receive(size).size(), size);
  run_until(loop_, [this] { return !writable_.empty(); });
  EXPECT_EQ(streams_->send(fd, "more").bytes, 4U);
  run_ready(loop_);
  EXPECT_THAT(writable_, ElementsAre(fd));  // once: it is no longer wanted
}

TEST_F(EpollStreamsTest, tells_of_room_only_who_wants_to_know) {
  Loopback connection;
  const int fd = adopt(connection);
  run_ready(loop_);
  EXPECT_THAT(writable_, IsEmpty());
  streams_->want_writable(fd, true);
  streams_->want_writable(fd, true);
  streams_->want_writable(fd, false);
  run_ready(loop_);
  EXPECT_THAT(writable_, IsEmpty());
}

TEST_F(EpollStreamsTest, goes_on_telling_of_room_as_long_as_it_is_wanted) {
  Loopback connection;
  const int fd = adopt(connection);
  act_on_writable_ = [this](int its_fd) {
    streams_->want_writable(its_fd, false);
    streams_->want_writable(its_fd, writable_.size() < 3);
  };
  streams_->want_writable(fd, true);
  run_until(loop_, [this] { return writable_.size() == 3; });
  run_ready(loop_);
  EXPECT_EQ(writable_.size(), 3U);
}

TEST_F(EpollStreamsTest, tells_once_that_the_other_end_is_gone) {
  const struct {
    const char* what;
    void (*go)(Client& client);
  } cases[] = {
      {"it closes", [](Client& client) { client.close(); }},
      {"it sends no more", [](Client& client) { client.shutdown_send(); }},
      {"it breaks the connection", [](Client& client) { client.reset(); }},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.what);
    Loopback connection;
    const int fd = adopt(connection);
    gone_.clear();
    c.go(connection.client);
    run_until(loop_, [this] { return !gone_.empty(); });
    run_ready(loop_);
    EXPECT_THAT(gone_, ElementsAre(fd));
    EXPECT_FALSE(is_open(fd));
  }
}

TEST_F(EpollStreamsTest, throws_away_what_the_other_end_says) {
  Loopback connection;
  const int fd = adopt(connection);
  connection.client.send(std::string(1000, 'x'));
  wait_for_input(fd);
  run_until(loop_, [fd] {
    char byte = 0;
    return ::recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0;
  });
  EXPECT_THAT(gone_, IsEmpty());
  EXPECT_EQ(streams_->send(fd, "still there").bytes, 11U);
}

TEST_F(EpollStreamsTest, gives_up_who_says_too_much) {
  Loopback connection;
  const int fd = adopt(connection);
  connection.client.send(std::string(EpollStreams::kHeardMax + 1, 'x'));
  run_until(loop_, [this] { return !gone_.empty(); });
  EXPECT_THAT(gone_, ElementsAre(fd));
}

TEST_F(EpollStreamsTest, gives_up_who_speaks_too_often) {
  Loopback connection;
  const int fd = adopt(connection);
  std::size_t bytes = 0;
  while (gone_.empty()) {
    connection.client.send("x");
    ++bytes;
    wait_for_input(fd);
    run_until(loop_, [this, fd] {
      char byte = 0;
      return !gone_.empty() || ::recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0;
    });
  }
  EXPECT_EQ(bytes, EpollStreams::kHeardMax / EpollStreams::kReadMin + 1);
}

TEST_F(EpollStreamsTest, tells_nothing_of_a_stream_that_was_closed_meanwhile) {
  Loopback first;
  Loopback second;
  const int first_fd = adopt(first);
  const int second_fd = adopt(second);
  first.client.close();
  second.client.close();
  wait_for_input(first_fd);
  wait_for_input(second_fd);
  // Both are in one batch; who is told first closes the other, and opens another with its number.
  std::unique_ptr<Loopback> third;
  act_on_gone_ = [&](int fd) {
    const int other = fd == first_fd ? second_fd : first_fd;
    streams_->close(other);
    third = std::make_unique<Loopback>();
    const int moved = ::dup2(third->fd(), other);
    ASSERT_EQ(moved, other);
    ::close(third->release());
    EXPECT_TRUE(streams_->adopt(other));
  };
  run_until(loop_, [this] { return !gone_.empty(); });
  run_ready(loop_);
  EXPECT_EQ(gone_.size(), 1U);
  EXPECT_FALSE(third->client.fd() < 0);
}

TEST_F(EpollStreamsTest, reports_a_broken_connection_to_its_writer) {
  Loopback connection;
  const int fd = adopt(connection);
  connection.client.reset();
  wait_for_input(fd);
  Sent sent = streams_->send(fd, "x");
  if (!sent.failed) {
    sent = streams_->send(fd, "x");
  }
  EXPECT_TRUE(sent.failed);  // and no SIGPIPE has ended the test
}

TEST_F(EpollStreamsTest, keeps_the_place_of_a_connection_until_it_is_closed) {
  base::Admission admission({.connections_max = 1, .per_address_max = 0});
  Loopback connection;
  streams_->keep(connection.fd(), *admission.admit(boost::asio::ip::address_v4::loopback()));
  const int fd = adopt(connection);
  EXPECT_EQ(admission.connections(), 1U);
  streams_->close(fd);
  EXPECT_EQ(admission.connections(), 0U);
}

TEST_F(EpollStreamsTest, knows_which_of_its_streams_have_no_right) {
  base::Admission admission({.connections_max = 3, .per_address_max = 0});
  const auto place = [&admission] {
    return *admission.admit(boost::asio::ip::address_v4::loopback());
  };
  Loopback with;
  Loopback without;
  Loopback not_adopted;
  streams_->keep(with.fd(), place(), std::make_unique<StreamRight>());
  streams_->keep(without.fd(), place());
  streams_->keep(not_adopted.fd(), place());
  const int other = adopt(with);
  const int fd = adopt(without);
  EXPECT_THAT(streams_->without_right(), ElementsAre(fd));
  streams_->close(fd);
  EXPECT_THAT(streams_->without_right(), IsEmpty());
  streams_->close(other);
  streams_->close(adopt(not_adopted));
}

TEST_F(EpollStreamsTest, closes_what_it_refuses_and_gives_its_place_back) {
  base::Admission admission({.connections_max = 1, .per_address_max = 0});
  Loopback connection;
  const int fd = connection.release();
  EpollStreams not_started(loop_.get_executor());
  not_started.keep(fd, *admission.admit(boost::asio::ip::address_v4::loopback()));
  EXPECT_FALSE(not_started.adopt(fd));
  EXPECT_FALSE(is_open(fd));
  EXPECT_EQ(admission.connections(), 0U);
}

TEST_F(EpollStreamsTest, closes_all_at_its_end) {
  Loopback connection;
  const int fd = adopt(connection);
  streams_.reset();
  EXPECT_FALSE(is_open(fd));
  EXPECT_TRUE(connection.client.at_end());
}

TEST_F(EpollStreamsTest, knows_whether_a_peer_owes_anything_and_has_room) {
  Loopback connection(4096);
  const int fd = adopt(connection);
  streams_->send(fd, "x");
  connection.client.receive(1);
  EXPECT_FALSE(streams_->peer(fd).outstanding);
  EXPECT_FALSE(streams_->peer(fd).window_closed);
  EXPECT_LT(streams_->peer(fd).silent_for, std::chrono::seconds(30));
  fill(fd);
  while (!streams_->peer(fd).window_closed) {  // what is on its way fills the client's buffer
    fill(fd);
  }
}

TEST_F(EpollStreamsTest, knows_how_many_bytes_a_peer_has_taken) {
  Loopback connection;
  const int fd = adopt(connection);
  const auto before = streams_->peer(fd).acknowledged;
  streams_->send(fd, "hello");
  connection.client.receive(5);
  while (streams_->peer(fd).acknowledged == before) {  // it may wait a moment with telling so
  }
  EXPECT_EQ(streams_->peer(fd).acknowledged, before + 5);
}

TEST_F(EpollStreamsTest, leaves_little_in_the_kernel_where_nobody_reads) {
  Loopback connection(4096);
  const int fd = adopt(connection);
  EXPECT_LT(fill(fd), std::size_t{256} * 1024);
}

TEST_F(EpollStreamsTest, lets_the_loop_run_dry_once_it_is_stopped) {
  Loopback connection;
  const int fd = adopt(connection);
  connection.client.close();
  wait_for_input(fd);
  streams_->stop();
  loop_.restart();
  loop_.run();
  EXPECT_THAT(gone_, IsEmpty());
  EXPECT_TRUE(is_open(fd));
}

TEST_F(EpollStreamsTest, handles_many_events_in_several_turns) {
  constexpr std::size_t kStreams = EpollStreams::kBatch + 50;
  std::vector<std::unique_ptr<Loopback>> connections;
  for (std::size_t i = 0; i < kStreams; ++i) {
    connections.push_back(std::make_unique<Loopback>());
    adopt(*connections.back());
  }
  for (const auto& connection : connections) {
    connection->client.close();
  }
  loop_.restart();
  loop_.run_one();
  while (gone_.empty()) {
    loop_.run_one();
  }
  EXPECT_LE(gone_.size(), EpollStreams::kBatch);
  run_until(loop_, [this] { return gone_.size() == kStreams; });
}

using EpollStreamsDeathTest = EpollStreamsTest;

TEST_F(EpollStreamsDeathTest, refuses_to_close_a_stream_twice) {
  Loopback connection;
  const int fd = adopt(connection);
  streams_->close(fd);
  EXPECT_DEATH(streams_->close(fd), "kFree");
}

}  // namespace
}  // namespace vrelo::net
