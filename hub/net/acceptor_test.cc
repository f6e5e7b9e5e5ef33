// SPDX-License-Identifier: Apache-2.0
#include "hub/net/acceptor.h"

#include <cerrno>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fcntl.h>
#include <unistd.h>

#include "hub/net/alarm_testing.h"
#include "hub/net/files_testing.h"
#include "hub/net/loopback_testing.h"

namespace vrelo::net {
namespace {

using boost::asio::ip::tcp;
using std::chrono_literals::operator""ms;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

class AcceptorTest : public testing::Test {
 protected:
  struct Accepted {
    OwnedFd fd;
    tcp::endpoint peer;
  };

  AcceptorTest() {
    // UBSan looks at an object of a class that it has not met yet through a pipe, for which there
    // has to be room.
    const base::Clock& clock = clock_;
    const std::unique_ptr<Alarm> alarm = alarms_.maker()([] {});
    alarm->set(clock.steady());
    alarms_.ring_due();
  }

  Acceptor::Parts parts() {
    return {
        .executor = loop_.get_executor(),
        .clock = clock_,
        .make_alarm = alarms_.maker(),
        .on_accept =
            [this](int fd, const tcp::endpoint& peer) {
              accepted_.push_back({.fd = OwnedFd(fd), .peer = peer});
              if (act_on_accept_ != nullptr) {
                act_on_accept_();
              }
            },
        .on_trouble =
            [this](const boost::system::error_code& error) { troubles_.push_back(error.value()); }};
  }

  void start(Listener listener) {
    endpoint_ = listener.endpoint();
    listener_fd_ = listener.fd();
    acceptor_.emplace(parts(), std::move(listener));
    ASSERT_TRUE(acceptor_->start());
  }

  tcp::endpoint name_of(const Client& client) {
    tcp::endpoint endpoint;
    auto size = static_cast<socklen_t>(endpoint.capacity());
    ::getsockname(client.fd(), endpoint.data(), &size);
    return endpoint;
  }

  boost::asio::io_context loop_{1};
  base::ManualClock clock_;
  FakeAlarms alarms_{clock_};
  tcp::endpoint endpoint_;
  int listener_fd_ = -1;
  std::vector<Accepted> accepted_;
  std::function<void()> act_on_accept_;
  std::vector<int> troubles_;
  std::optional<Acceptor> acceptor_;
};

TEST_F(AcceptorTest, hands_out_each_connection_with_its_peer) {
  start(Loopback::make_listener());
  const Client first(endpoint_);
  const Client second(endpoint_);
  run_until(loop_, [this] { return accepted_.size() == 2; });
  EXPECT_EQ(accepted_[0].peer, name_of(first));
  EXPECT_EQ(accepted_[1].peer, name_of(second));
  EXPECT_TRUE(::fcntl(accepted_[0].fd.get(), F_GETFD) & FD_CLOEXEC);
  EXPECT_TRUE(::fcntl(accepted_[0].fd.get(), F_GETFL) & O_NONBLOCK);

  const Client third(endpoint_);
  run_until(loop_, [this] { return accepted_.size() == 3; });
  EXPECT_THAT(troubles_, IsEmpty());
}

TEST_F(AcceptorTest, pauses_while_there_are_too_many_open_files_and_loses_no_connection) {
  start(Loopback::make_listener());
  std::vector<Client> clients;
  clients.reserve(10);
  for (int i = 0; i < 10; ++i) {
    clients.emplace_back(endpoint_);
  }
  std::size_t done_in_pause = 0;
  std::optional<base::Clock::Steady> first_pause_ends;
  {
    const NoMoreFiles no_more_files;
    run_until(loop_, [this] { return troubles_.size() == 1; });
    done_in_pause += run_ready(loop_);
    first_pause_ends = alarms_.next();
    clock_.advance(100ms);
    alarms_.ring_due();
    run_until(loop_, [this] { return troubles_.size() == 2; });
    done_in_pause += run_ready(loop_);
  }
  EXPECT_EQ(first_pause_ends, clock_.steady());
  EXPECT_EQ(done_in_pause, 0U);  // it waits for the alarm alone
  EXPECT_THAT(accepted_, IsEmpty());
  clock_.advance(100ms);
  alarms_.ring_due();
  run_until(loop_, [this] { return accepted_.size() == 10; });
  EXPECT_THAT(troubles_, ElementsAre(EMFILE, EMFILE));
}

TEST_F(AcceptorTest, has_nothing_to_do_in_a_pause_whoever_connects) {
  start(Loopback::make_listener());
  const Client first(endpoint_);
  std::vector<OwnedFd> sockets;  // made before there are too many
  for (int i = 0; i < 10; ++i) {
    sockets.emplace_back(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  }
  std::size_t connected = 0;
  std::size_t done_in_pause = 0;
  {
    const NoMoreFiles no_more_files;
    run_until(loop_, [this] { return !troubles_.empty(); });
    for (const OwnedFd& socket : sockets) {
      const auto size = static_cast<socklen_t>(endpoint_.size());
      connected += ::connect(socket.get(), endpoint_.data(), size) == 0 ? 1U : 0U;
      done_in_pause += run_ready(loop_);
    }
  }
  EXPECT_EQ(connected, 10U);
  EXPECT_EQ(done_in_pause, 0U);
  EXPECT_THAT(troubles_, ElementsAre(EMFILE));
}

TEST_F(AcceptorTest, lets_others_have_their_turn_in_a_flood) {
  start(Loopback::make_listener());
  std::vector<Client> clients;
  clients.reserve(100);
  for (int i = 0; i < 100; ++i) {
    clients.emplace_back(endpoint_);
  }
  std::optional<std::size_t> accepted_before;
  act_on_accept_ = [&] {
    if (accepted_.size() == 1) {
      boost::asio::post(loop_, [&] { accepted_before = accepted_.size(); });
    }
  };
  run_until(loop_, [this] { return accepted_.size() == 100; });
  EXPECT_EQ(accepted_before, 64U);
}

TEST_F(AcceptorTest, shares_a_listener_with_other_shards) {
  std::vector<Listener> listeners;
  listeners.push_back(Loopback::make_listener());
  auto shared = share_out(std::move(listeners), 2);
  ASSERT_TRUE(shared);
  start(std::move((*shared)[0][0]));
  Acceptor other(parts(), std::move((*shared)[1][0]));
  ASSERT_TRUE(other.start());
  std::vector<Client> clients;
  clients.reserve(20);
  for (int i = 0; i < 20; ++i) {
    clients.emplace_back(endpoint_);
    if (i == 10) {
      acceptor_->stop();  // which closes the listener for itself alone
    }
    run_until(loop_, [&] { return accepted_.size() == clients.size(); });
  }
  EXPECT_THAT(troubles_, IsEmpty());
}

TEST_F(AcceptorTest, accepts_nothing_once_it_is_stopped) {
  start(Loopback::make_listener());
  Client client(endpoint_);
  wait_for_input(listener_fd_);
  acceptor_->stop();
  loop_.restart();
  loop_.run();  // nothing is pending
  EXPECT_THAT(accepted_, IsEmpty());
  EXPECT_TRUE(client.at_end());
  EXPECT_FALSE(is_open(listener_fd_));
}

TEST_F(AcceptorTest, may_be_stopped_or_destroyed_from_its_callbacks) {
  start(Loopback::make_listener());
  const Client first(endpoint_);
  const Client second(endpoint_);
  act_on_accept_ = [this] { acceptor_->stop(); };
  run_until(loop_, [this] { return !accepted_.empty(); });
  run_ready(loop_);
  EXPECT_THAT(accepted_, SizeIs(1));

  start(Loopback::make_listener());
  const Client third(endpoint_);
  act_on_accept_ = [this] { acceptor_.reset(); };
  run_until(loop_, [this] { return !acceptor_; });
  run_ready(loop_);
  EXPECT_THAT(accepted_, SizeIs(2));
}

TEST_F(AcceptorTest, forgets_its_pause_when_it_is_destroyed) {
  start(Loopback::make_listener());
  const Client client(endpoint_);
  {
    const NoMoreFiles no_more_files;
    run_until(loop_, [this] { return !troubles_.empty(); });
  }
  acceptor_.reset();
  EXPECT_EQ(alarms_.next(), std::nullopt);
  EXPECT_FALSE(is_open(listener_fd_));
}

TEST_F(AcceptorTest, closes_a_listener_that_it_never_used) {
  Listener listener = Loopback::make_listener();
  const int fd = listener.fd();
  {
    const Acceptor acceptor(parts(), std::move(listener));
    EXPECT_TRUE(is_open(fd));
  }
  EXPECT_FALSE(is_open(fd));
}

}  // namespace
}  // namespace vrelo::net
