// SPDX-License-Identifier: Apache-2.0
#include "hub/base/admission.h"

#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

namespace vrelo::base {
namespace {

using Place = Admission::Place;
using Refusal = Admission::Refusal;

boost::asio::ip::address address(const std::string& text) {
  return boost::asio::ip::make_address(text);
}

TEST(Admission, admits_as_many_connections_as_it_may) {
  Admission admission({.connections_max = 2, .per_address_max = 0});
  auto first = admission.admit(address("192.0.2.1"));
  const auto second = admission.admit(address("192.0.2.2"));
  ASSERT_TRUE(first && second);
  EXPECT_EQ(admission.connections(), 2U);
  EXPECT_EQ(admission.admit(address("192.0.2.3")).error(), Refusal::kTooMany);
  EXPECT_EQ(admission.connections(), 2U);
  *first = Place(std::move(*first));  // moving gives nothing back
  EXPECT_EQ(admission.connections(), 2U);
  { const Place gone = std::move(*first); }
  EXPECT_EQ(admission.connections(), 1U);
  EXPECT_TRUE(admission.admit(address("192.0.2.3")));
}

TEST(Admission, admits_as_many_connections_of_an_address_as_it_may) {
  Admission admission({.connections_max = 100, .per_address_max = 2});
  std::vector<Place> places;
  places.push_back(*admission.admit(address("192.0.2.1")));
  places.push_back(*admission.admit(address("192.0.2.1")));
  EXPECT_EQ(admission.admit(address("192.0.2.1")).error(), Refusal::kTooManyFromAddress);
  EXPECT_TRUE(admission.admit(address("192.0.2.2")));
  places.pop_back();
  EXPECT_TRUE(admission.admit(address("192.0.2.1")));
  EXPECT_EQ(admission.connections(), 1U);
}

TEST(Admission, takes_one_ipv6_network_for_one_address) {
  const struct {
    const char* what;
    const char* first;
    const char* second;
    bool same;
  } cases[] = {
      {"two machines of a network", "2001:db8:0:1::1", "2001:db8:0:1:ffff::2", true},
      {"two networks", "2001:db8:0:1::1", "2001:db8:0:2::1", false},
      {"IPv4 in both forms", "192.0.2.1", "::ffff:192.0.2.1", true},
      {"two IPv4 addresses in the other form", "::ffff:192.0.2.2", "::ffff:192.0.2.1", false},
      {"IPv4 and an IPv6 network of the same bytes", "32.1.13.184", "2001:db8::", false},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.what);
    Admission admission({.connections_max = 10, .per_address_max = 1});
    const auto first = admission.admit(address(c.first));
    const auto second = admission.admit(address(c.second));
    ASSERT_TRUE(first);
    EXPECT_EQ(!second, c.same);
  }
}

TEST(Admission, takes_new_limits_without_closing_anything) {
  Admission admission({.connections_max = 3, .per_address_max = 0});
  std::vector<Place> places;
  for (int i = 0; i < 3; ++i) {
    places.push_back(*admission.admit(address("192.0.2.1")));
  }
  admission.set_limits({.connections_max = 10, .per_address_max = 2});
  EXPECT_EQ(admission.connections(), 3U);
  EXPECT_EQ(admission.admit(address("192.0.2.1")).error(), Refusal::kTooManyFromAddress);
  places.resize(1);
  places.push_back(*admission.admit(address("192.0.2.1")));
  admission.set_limits({.connections_max = 1, .per_address_max = 0});
  EXPECT_EQ(admission.admit(address("192.0.2.1")).error(), Refusal::kTooMany);
  EXPECT_EQ(admission.connections(), 2U);
}

TEST(Admission, never_admits_more_than_it_may_from_two_threads) {
  static constexpr std::size_t kMax = 10;
  Admission admission({.connections_max = kMax, .per_address_max = 7});
  const auto work = [&admission](const char* own) {
    for (int i = 0; i < 2000; ++i) {
      std::vector<Place> places;
      for (int j = 0; j < 12; ++j) {
        auto place = admission.admit(address(j % 2 == 0 ? own : "2001:db8::1"));
        if (place) {
          places.push_back(*std::move(place));
        }
      }
      EXPECT_LE(admission.connections(), kMax);
    }
  };
  std::thread one(work, "192.0.2.1");
  std::thread two(work, "192.0.2.2");
  one.join();
  two.join();
  EXPECT_EQ(admission.connections(), 0U);
}

}  // namespace
}  // namespace vrelo::base
