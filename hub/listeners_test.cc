// SPDX-License-Identifier: Apache-2.0
#include "hub/listeners.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fcntl.h>
#include <unistd.h>

#include "hub/net/loopback_testing.h"

namespace vrelo {
namespace {

using boost::asio::ip::tcp;
using testing::ElementsAre;
using testing::SizeIs;

using Variables = std::vector<std::pair<std::string, std::string>>;

const tcp::endpoint kAnyPort(boost::asio::ip::address_v4::loopback(), 0);

// Settings that open sockets at ports of the system's choice.
base::Settings settings(base::AdminPlace::Kind admin) {
  base::Settings settings;
  settings.listen = kAnyPort;
  settings.admin = {admin, kAnyPort};
  return settings;
}

std::vector<std::string> names(const std::vector<net::NamedListener>& listeners) {
  std::vector<std::string> all;
  for (const net::NamedListener& named : listeners) {
    all.push_back(named.name);
  }
  return all;
}

TEST(Listeners, are_opened_for_each_shard_and_for_administration) {
  auto own = open_listeners(settings(base::AdminPlace::Kind::kOwn), {}, 3);
  ASSERT_TRUE(own);
  EXPECT_THAT(own->main, SizeIs(3));
  ASSERT_TRUE(own->admin);
  EXPECT_NE(own->admin->endpoint(), own->main[0].endpoint());
  EXPECT_THAT(names(with_names(*std::move(own))), ElementsAre("main", "main", "main", "admin"));

  auto automatic = open_listeners(settings(base::AdminPlace::Kind::kAuto), {}, 1);
  ASSERT_TRUE(automatic);
  EXPECT_FALSE(automatic->admin);
  EXPECT_THAT(names(with_names(*std::move(automatic))), ElementsAre("main"));
}

TEST(Listeners, are_local_only_where_all_are_on_loopback) {
  const tcp::endpoint everywhere(boost::asio::ip::address_v4::any(), 0);
  const struct {
    tcp::endpoint main;
    std::optional<tcp::endpoint> admin;
    bool is_local_only;
  } cases[] = {{kAnyPort, std::nullopt, true},
               {kAnyPort, kAnyPort, true},
               {everywhere, std::nullopt, false},
               {everywhere, kAnyPort, false},
               {kAnyPort, everywhere, false}};
  for (const auto& [main, admin, is_local_only] : cases) {
    base::Settings wanted;
    wanted.open = true;
    wanted.listen = main;
    if (admin) {
      wanted.admin = {base::AdminPlace::Kind::kOwn, *admin};
    }
    const auto listeners = open_listeners(wanted, {}, 1);
    ASSERT_TRUE(listeners);
    EXPECT_EQ(listeners->is_local_only(), is_local_only)
        << main << ", " << (admin ? *admin : tcp::endpoint());
  }
}

// Sockets that this process would inherit, from descriptor 3 on; what is open there comes back.
class InheritedSocketsTest : public testing::Test {
 protected:
  static constexpr int kCount = 3;

  InheritedSocketsTest() {
    for (int i = 0; i < kCount; ++i) {
      const int fd = net::kFirstInherited + i;
      before_[i] = ::fcntl(fd, F_DUPFD_CLOEXEC, 800);
      net::Listener listener = net::Loopback::make_listener();
      endpoints_.push_back(listener.endpoint());
      EXPECT_EQ(::dup2(listener.fd(), fd), fd);
      if (listener.fd() == fd) {
        std::move(listener).release();
      }
    }
  }

  ~InheritedSocketsTest() override {
    for (int i = 0; i < kCount; ++i) {
      ::close(net::kFirstInherited + i);
      if (before_[i] >= 0) {
        ::dup2(before_[i], net::kFirstInherited + i);
        ::close(before_[i]);
      }
    }
  }

  // The sockets with those names are inherited.
  static base::Parsed<Listeners> open(const std::string& names, const base::Settings& settings) {
    const auto count = 1 + std::count(names.begin(), names.end(), ':');
    const Variables variables = {{"LISTEN_PID", std::to_string(::getpid())},
                                 {"LISTEN_FDS", std::to_string(count)},
                                 {"LISTEN_FDNAMES", names}};
    return open_listeners(settings, variables, 1);
  }

  int before_[kCount] = {};
  std::vector<tcp::endpoint> endpoints_;
};

TEST_F(InheritedSocketsTest, are_told_apart_by_their_names) {
  const auto listeners = open("vrelo.socket:admin:main", settings(base::AdminPlace::Kind::kAuto));
  ASSERT_TRUE(listeners);
  ASSERT_THAT(listeners->main, SizeIs(2));
  EXPECT_EQ(listeners->main[0].endpoint(), endpoints_[0]);
  EXPECT_EQ(listeners->main[1].endpoint(), endpoints_[2]);
  EXPECT_TRUE(listeners->stay);
  ASSERT_TRUE(listeners->admin);
  EXPECT_EQ(listeners->admin->endpoint(), endpoints_[1]);
}

TEST_F(InheritedSocketsTest, have_none_for_administration_where_it_is_off) {
  const auto listeners = open("main:admin", settings(base::AdminPlace::Kind::kOff));
  ASSERT_TRUE(listeners);
  EXPECT_THAT(listeners->main, SizeIs(1));
  EXPECT_FALSE(listeners->admin);
  EXPECT_LT(::fcntl(net::kFirstInherited + 1, F_GETFD), 0);
}

TEST_F(InheritedSocketsTest, are_completed_by_those_that_are_missing) {
  const auto listeners = open("admin", settings(base::AdminPlace::Kind::kOwn));
  ASSERT_TRUE(listeners);
  EXPECT_THAT(listeners->main, SizeIs(1));
  EXPECT_NE(listeners->main[0].endpoint(), endpoints_[0]);
  EXPECT_EQ(listeners->admin->endpoint(), endpoints_[0]);
  EXPECT_FALSE(listeners->stay);
}

TEST_F(InheritedSocketsTest, are_refused_where_two_are_for_administration) {
  const auto listeners = open("admin:admin", settings(base::AdminPlace::Kind::kAuto));
  ASSERT_FALSE(listeners);
  EXPECT_EQ(listeners.error().message, "inherited sockets: two have the name \"admin\"");
}

}  // namespace
}  // namespace vrelo
