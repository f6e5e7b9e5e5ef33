// SPDX-License-Identifier: Apache-2.0
#include "hub/net/listener.h"

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include "hub/net/files_testing.h"
#include "hub/net/loopback_testing.h"

namespace vrelo::net {
namespace {

using boost::asio::ip::make_address;
using boost::asio::ip::tcp;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

using Variables = std::vector<std::pair<std::string, std::string>>;

const tcp::endpoint kAnyPort(boost::asio::ip::address_v4::loopback(), 0);

std::string text(const tcp::endpoint& endpoint) {
  return base::format_endpoint(endpoint);
}

int option(int fd, int level, int name) {
  int value = -1;
  socklen_t size = sizeof(value);
  EXPECT_EQ(::getsockopt(fd, level, name, &value, &size), 0);
  return value;
}

OwnedFd accept_one(const Listener& listener) {
  wait_for_input(listener.fd());
  return OwnedFd(::accept4(listener.fd(), nullptr, nullptr, SOCK_CLOEXEC));
}

// Takes all that wait.
std::size_t accept_all(const Listener& listener) {
  std::size_t count = 0;
  while (true) {
    const int fd = ::accept4(listener.fd(), nullptr, nullptr, SOCK_CLOEXEC);
    if (fd < 0) {
      return count;
    }
    ::close(fd);
    ++count;
  }
}

void expect_fit(const Listener& listener) {
  EXPECT_TRUE(::fcntl(listener.fd(), F_GETFD) & FD_CLOEXEC);
  EXPECT_TRUE(::fcntl(listener.fd(), F_GETFL) & O_NONBLOCK);
  EXPECT_EQ(option(listener.fd(), SOL_SOCKET, SO_ACCEPTCONN), 1);
  const Client client(listener.endpoint());
  const OwnedFd accepted = accept_one(listener);
  EXPECT_EQ(option(accepted.get(), IPPROTO_TCP, TCP_NODELAY), 1);
  EXPECT_EQ(option(accepted.get(), IPPROTO_TCP, TCP_NOTSENT_LOWAT), 32'768);
  EXPECT_EQ(option(accepted.get(), SOL_SOCKET, SO_KEEPALIVE), 1);
  EXPECT_EQ(option(accepted.get(), IPPROTO_TCP, TCP_KEEPIDLE), 20);
  EXPECT_EQ(option(accepted.get(), IPPROTO_TCP, TCP_KEEPINTVL), 10);
  EXPECT_EQ(option(accepted.get(), IPPROTO_TCP, TCP_KEEPCNT), 3);
}

TEST(Listener, listens_at_a_port_that_the_system_chooses) {
  const auto listeners = listen_at(kAnyPort, 1);
  ASSERT_TRUE(listeners);
  ASSERT_THAT(*listeners, SizeIs(1));
  EXPECT_NE((*listeners)[0].endpoint().port(), 0);
  EXPECT_TRUE((*listeners)[0].endpoint().address().is_loopback());
  expect_fit((*listeners)[0]);
}

TEST(Listener, spreads_connections_over_the_shards) {
  const auto listeners = listen_at(kAnyPort, 3);
  ASSERT_TRUE(listeners);
  ASSERT_THAT(*listeners, SizeIs(3));
  std::vector<Client> clients;
  clients.reserve(300);
  for (int i = 0; i < 300; ++i) {
    clients.emplace_back((*listeners)[0].endpoint());
  }
  std::size_t sum = 0;
  for (const Listener& listener : *listeners) {
    EXPECT_EQ(listener.endpoint(), (*listeners)[0].endpoint());
    const std::size_t count = accept_all(listener);
    EXPECT_GT(count, 30U);
    sum += count;
  }
  EXPECT_EQ(sum, 300U);
}

TEST(Listener, refuses_a_port_that_another_hub_shares_among_its_shards) {
  for (const std::size_t shards : {1U, 2U}) {
    SCOPED_TRACE(shards);
    const auto listeners = listen_at(kAnyPort, shards);
    ASSERT_TRUE(listeners);
    const tcp::endpoint endpoint = listeners->front().endpoint();
    const auto second = listen_at(endpoint, 2);
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().message, "cannot listen on " + text(endpoint) +
                                          ": address in use; is another hub running there?");
  }
}

TEST(Listener, says_why_it_cannot_listen) {
  const tcp::endpoint endpoint(make_address("192.0.2.1"), 3000);  // TEST-NET-1, RFC 5737
  const auto listeners = listen_at(endpoint, 2);
  ASSERT_FALSE(listeners);
  EXPECT_EQ(listeners.error().message,
            "cannot listen on 192.0.2.1:3000: this machine has no such address");
}

TEST(Listener, says_that_there_are_too_many_open_files) {
  const auto listeners = [] {
    const NoMoreFiles no_more_files;
    return listen_at(kAnyPort, 1);
  }();
  ASSERT_FALSE(listeners);
  EXPECT_EQ(listeners.error().message, "cannot listen on 127.0.0.1:0: Too many open files");
}

TEST(Listener, listens_again_where_old_connections_linger) {
  auto listeners = listen_at(kAnyPort, 2);
  ASSERT_TRUE(listeners);
  const tcp::endpoint endpoint = listeners->front().endpoint();
  Client client(endpoint);
  for (const Listener& listener : *listeners) {
    accept_all(listener);  // and closes it first, so its port waits
  }
  EXPECT_TRUE(client.at_end());
  client.close();
  listeners->clear();
  EXPECT_TRUE(listen_at(endpoint, 2));
}

TEST(Listener, takes_ipv4_only_where_it_listens_on_all_addresses) {
  const auto one = listen_at({boost::asio::ip::address_v6::loopback(), 0}, 1);
  const auto all = listen_at({boost::asio::ip::address_v6::any(), 0}, 2);
  if (!one || !all) {
    GTEST_SKIP() << "no IPv6 here";
  }
  EXPECT_EQ(option(one->front().fd(), IPPROTO_IPV6, IPV6_V6ONLY), 1);
  EXPECT_EQ(option(all->front().fd(), IPPROTO_IPV6, IPV6_V6ONLY), 0);
  Client client({boost::asio::ip::address_v4::loopback(), all->front().endpoint().port()});
  EXPECT_EQ(accept_all((*all)[0]) + accept_all((*all)[1]), 1U);
}

TEST(Listener, closes_its_socket_once) {
  auto listeners = listen_at(kAnyPort, 2);
  ASSERT_TRUE(listeners);
  const int first = (*listeners)[0].fd();
  const int second = (*listeners)[1].fd();
  {
    Listener moved = std::move((*listeners)[0]);
    EXPECT_EQ(moved.fd(), first);
    moved = std::move((*listeners)[1]);
    EXPECT_EQ(moved.fd(), second);
  }
  EXPECT_FALSE(is_open(second));
  listeners->clear();
  EXPECT_FALSE(is_open(first));
}

std::vector<std::string> names(const std::vector<NamedListener>& listeners) {
  std::vector<std::string> all;
  for (const NamedListener& named : listeners) {
    all.push_back(named.name);
  }
  return all;
}

// Where the sockets listen, whatever the listeners say.
std::vector<std::uint16_t> ports(const std::vector<NamedListener>& listeners) {
  std::vector<std::uint16_t> all;
  for (const NamedListener& named : listeners) {
    sockaddr_in address = {};
    socklen_t size = sizeof(address);
    EXPECT_EQ(::getsockname(named.listener.fd(), reinterpret_cast<sockaddr*>(&address), &size), 0);
    all.push_back(ntohs(address.sin_port));
  }
  return all;
}

// Descriptors at fixed numbers, as a process inherits them.
class InheritedTest : public testing::Test {
 protected:
  static constexpr int kFirst = 700;
  static constexpr pid_t kSelf = 4711;

  ~InheritedTest() override {
    for (int fd = kFirst; fd < next_; ++fd) {
      ::close(fd);
    }
  }

  // Puts `fd` at the next number. -1: leaves that number unused.
  void inherit(int fd) {
    if (fd >= 0) {
      ASSERT_EQ(::dup2(fd, next_), next_);  // which is not closed at exec()
      ::close(fd);
    }
    ++next_;
  }

  // A listener that nobody has prepared.
  void inherit_listener() {
    const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
    ASSERT_EQ(::listen(fd, 16), 0);  // at a port of the system's choice
    inherit(fd);
  }

  static Listening<std::vector<NamedListener>> take(const Variables& variables) {
    return inherited_listeners(variables, kSelf, kFirst);
  }

  int next_ = kFirst;
};

TEST_F(InheritedTest, takes_over_what_is_for_this_process) {
  inherit_listener();
  inherit_listener();
  auto listeners = take({{"PATH", "/bin"}, {"LISTEN_PID", "4711"}, {"LISTEN_FDS", "2"}});
  ASSERT_TRUE(listeners);
  ASSERT_THAT(*listeners, SizeIs(2));
  EXPECT_EQ((*listeners)[0].listener.fd(), kFirst);
  EXPECT_EQ((*listeners)[1].listener.fd(), kFirst + 1);
  for (const NamedListener& named : *listeners) {
    EXPECT_EQ(named.name, "");
    expect_fit(named.listener);
  }
  listeners->clear();
  EXPECT_FALSE(is_open(kFirst));
}

TEST_F(InheritedTest, takes_the_names_of_its_listeners) {
  const struct {
    const char* names;
    std::vector<std::string> expected;
  } cases[] = {
      {"main:admin", {"main", "admin"}},
      {"vrelo.socket:vrelo.socket", {"vrelo.socket", "vrelo.socket"}},
      {":", {"", ""}},
      {"a:", {"a", ""}},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.names);
    next_ = kFirst;
    inherit_listener();
    inherit_listener();
    const auto listeners =
        take({{"LISTEN_PID", "4711"}, {"LISTEN_FDS", "2"}, {"LISTEN_FDNAMES", c.names}});
    ASSERT_TRUE(listeners);
    EXPECT_THAT(names(*listeners), testing::ElementsAreArray(c.expected));
  }
}

TEST_F(InheritedTest, refuses_names_for_more_or_fewer_descriptors_and_closes_none) {
  inherit_listener();
  inherit_listener();
  for (const auto& [text, count] : {std::pair("", 1), std::pair("a", 1), std::pair("a:b:", 3)}) {
    SCOPED_TRACE(text);
    const auto listeners =
        take({{"LISTEN_PID", "4711"}, {"LISTEN_FDS", "2"}, {"LISTEN_FDNAMES", text}});
    ASSERT_FALSE(listeners);
    EXPECT_EQ(listeners.error().message, "LISTEN_FDNAMES has " + std::to_string(count) +
                                             " names, for 2 descriptors of LISTEN_FDS");
    EXPECT_TRUE(is_open(kFirst) && is_open(kFirst + 1));
  }
}

TEST_F(InheritedTest, takes_over_what_another_process_has_lined_up) {
  std::vector<NamedListener> listeners;
  std::vector<tcp::endpoint> endpoints;
  for (const char* const name : {"main", "main", "admin"}) {
    listeners.push_back({name, Loopback::make_listener()});
    endpoints.push_back(listeners.back().listener.endpoint());
  }
  auto lined_up = line_up(std::move(listeners), kFirst);
  ASSERT_TRUE(lined_up);
  Variables variables = listen_variables(*lined_up);
  EXPECT_THAT(variables, ElementsAre(testing::Pair("LISTEN_FDS", "3"),
                                     testing::Pair("LISTEN_FDNAMES", "main:main:admin")));
  variables.emplace_back("LISTEN_PID", "4711");
  for (NamedListener& named : *lined_up) {
    expect_fit(named.listener);
    EXPECT_EQ(std::move(named.listener).release(), next_++);
  }
  const auto taken = take(variables);
  ASSERT_TRUE(taken);
  EXPECT_THAT(names(*taken), ElementsAre("main", "main", "admin"));
  for (std::size_t i = 0; i < endpoints.size(); ++i) {
    EXPECT_EQ((*taken)[i].listener.endpoint(), endpoints[i]);
  }
}

TEST_F(InheritedTest, lines_up_listeners_that_are_in_each_others_way) {
  std::vector<NamedListener> listeners;
  inherit_listener();
  inherit_listener();
  inherit_listener();
  for (const int i : {2, 0, 1}) {
    listeners.push_back(
        {std::to_string(i),
         Listener(kFirst + i, tcp::endpoint(boost::asio::ip::address_v4::loopback(),
                                            static_cast<std::uint16_t>(1000 + i)))});
  }
  const auto before = ports(listeners);
  const auto lined_up = line_up(std::move(listeners), kFirst);
  ASSERT_TRUE(lined_up);
  EXPECT_EQ(ports(*lined_up), before);
  EXPECT_THAT(names(*lined_up), ElementsAre("2", "0", "1"));
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ((*lined_up)[static_cast<std::size_t>(i)].listener.fd(), kFirst + i);
  }
}

TEST_F(InheritedTest, moves_what_is_in_the_way_of_a_line_and_keeps_it_open) {
  int ends[2];
  ASSERT_EQ(::pipe2(ends, O_NONBLOCK), 0);
  inherit(ends[1]);
  std::vector<NamedListener> listeners;
  listeners.push_back({"main", Loopback::make_listener()});
  const auto lined_up = line_up(std::move(listeners), kFirst);
  ASSERT_TRUE(lined_up);
  EXPECT_EQ((*lined_up)[0].listener.fd(), kFirst);
  expect_fit((*lined_up)[0].listener);
  const int moved = kFirst + 2;           // the listener was at the number before, on its way
  EXPECT_EQ(::fcntl(moved, F_GETFD), 0);  // for programs that are started, as before
  EXPECT_EQ(::write(moved, "x", 1), 1);
  char c = 0;
  EXPECT_EQ(::read(ends[0], &c, 1), 1);
  ::close(moved);
  ::close(ends[0]);
}

TEST_F(InheritedTest, says_that_there_are_too_many_open_files_for_a_line) {
  std::vector<NamedListener> listeners;
  listeners.push_back({"main", Loopback::make_listener()});
  const auto lined_up = [&listeners] {
    const NoMoreFiles no_more_files;
    return line_up(std::move(listeners));
  }();
  ASSERT_FALSE(lined_up);
  EXPECT_THAT(lined_up.error().message, testing::StartsWith("cannot pass listeners on: "));
}

TEST_F(InheritedTest, takes_nothing_that_is_for_nobody_or_another_process) {
  const struct {
    const char* what;
    Variables variables;
  } cases[] = {
      {"no variables", {}},
      {"no count", {{"LISTEN_PID", "4711"}}},
      {"no process", {{"LISTEN_FDS", "1"}}},
      {"another process", {{"LISTEN_PID", "4712"}, {"LISTEN_FDS", "1"}}},
      {"another process, whatever its count", {{"LISTEN_PID", "1"}, {"LISTEN_FDS", "x"}}},
      {"none", {{"LISTEN_PID", "4711"}, {"LISTEN_FDS", "0"}}},
  };
  inherit_listener();
  for (const auto& c : cases) {
    SCOPED_TRACE(c.what);
    const auto listeners = take(c.variables);
    ASSERT_TRUE(listeners);
    EXPECT_THAT(*listeners, IsEmpty());
  }
  EXPECT_TRUE(is_open(kFirst));
}

TEST_F(InheritedTest, refuses_variables_that_are_no_numbers) {
  const struct {
    const char* pid;
    const char* count;
    const char* message;
  } cases[] = {
      {"", "1", "LISTEN_PID is not a process id"},
      {"4711 ", "1", "LISTEN_PID is not a process id"},
      {"-1", "1", "LISTEN_PID is not a process id"},
      {"99999999999", "1", "LISTEN_PID is not a process id"},
      {"4711", "", "LISTEN_FDS is not a number of descriptors"},
      {"4711", "one", "LISTEN_FDS is not a number of descriptors"},
      {"4711", "1,2", "LISTEN_FDS is not a number of descriptors"},
      {"4711", "-1", "LISTEN_FDS is not a number of descriptors"},
      {"4711", "2147483647", "LISTEN_FDS is not a number of descriptors"},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(std::string(c.pid) + " / " + c.count);
    const auto listeners = take({{"LISTEN_PID", c.pid}, {"LISTEN_FDS", c.count}});
    ASSERT_FALSE(listeners);
    EXPECT_EQ(listeners.error().message, c.message);
  }
}

TEST_F(InheritedTest, refuses_descriptors_that_are_no_listeners_and_closes_none) {
  const struct {
    int (*make)();
    const char* message;
  } cases[] = {
      {[] { return -1; }, "LISTEN_FDS: descriptor 701 is not open"},
      {[] { return ::open("/dev/null", O_RDONLY); }, "LISTEN_FDS: descriptor 701 is not a socket"},
      {[] { return ::socket(AF_INET, SOCK_DGRAM, 0); },
       "LISTEN_FDS: descriptor 701 is not a TCP socket"},
      {[] { return ::socket(AF_UNIX, SOCK_STREAM, 0); },
       "LISTEN_FDS: descriptor 701 is not a TCP socket"},
      {[] { return ::socket(AF_INET, SOCK_STREAM, 0); },
       "LISTEN_FDS: descriptor 701 does not listen"},
  };
  inherit_listener();
  for (const auto& c : cases) {
    SCOPED_TRACE(c.message);
    next_ = kFirst + 1;
    inherit(c.make());
    const auto listeners = take({{"LISTEN_PID", "4711"}, {"LISTEN_FDS", "2"}});
    ASSERT_FALSE(listeners);
    EXPECT_EQ(listeners.error().message, c.message);
    EXPECT_TRUE(is_open(kFirst));
    ::close(kFirst + 1);
  }
}

TEST(ShareOut, gives_each_shard_a_listener_and_each_listener_to_one) {
  const struct {
    const char* what;
    std::size_t listeners;
    std::size_t shards;
    std::vector<std::size_t> expected;
  } cases[] = {
      {"one each", 2, 2, {1, 1}},
      {"one for all", 1, 3, {1, 1, 1}},
      {"fewer than shards", 2, 5, {1, 1, 1, 1, 1}},
      {"more than shards", 5, 2, {3, 2}},
      {"one shard", 3, 1, {3}},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.what);
    std::vector<Listener> listeners;
    std::vector<tcp::endpoint> wanted;
    for (std::size_t i = 0; i < c.listeners; ++i) {
      listeners.push_back(Loopback::make_listener());
      wanted.push_back(listeners.back().endpoint());
    }
    const auto shared = share_out(std::move(listeners), c.shards);
    ASSERT_TRUE(shared);
    std::vector<std::size_t> sizes;
    std::vector<tcp::endpoint> endpoints;
    for (const std::vector<Listener>& shard : *shared) {
      sizes.push_back(shard.size());
      for (const Listener& listener : shard) {
        endpoints.push_back(listener.endpoint());
        expect_fit(listener);
      }
    }
    EXPECT_EQ(sizes, c.expected);
    EXPECT_THAT(endpoints, testing::IsSupersetOf(wanted));
  }
}

TEST(ShareOut, says_that_there_are_too_many_open_files) {
  std::vector<Listener> listeners;
  listeners.push_back(Loopback::make_listener());
  const tcp::endpoint endpoint = listeners[0].endpoint();
  const auto shared = [&listeners] {
    const NoMoreFiles no_more_files;
    return share_out(std::move(listeners), 2);
  }();
  ASSERT_FALSE(shared);
  EXPECT_EQ(shared.error().message,
            "cannot share the listener on " + text(endpoint) + ": Too many open files");
}

}  // namespace
}  // namespace vrelo::net
