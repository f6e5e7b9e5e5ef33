// SPDX-License-Identifier: Apache-2.0
#include "hub/base/nearest.h"

#include <array>
#include <string>
#include <string_view>

#include <gtest/gtest.h>

namespace vrelo::base {
namespace {

constexpr std::array<std::string_view, 4> kNames = {"heartbeat", "header_bytes", "log", "listen"};

TEST(Nearest, finds_the_name_that_was_meant) {
  EXPECT_EQ(nearest("heartbeat", kNames), "heartbeat");
  EXPECT_EQ(nearest("heart_beat", kNames), "heartbeat");
  EXPECT_EQ(nearest("haertbeat", kNames), "heartbeat");
  EXPECT_EQ(nearest("headerbytes", kNames), "header_bytes");
  EXPECT_EQ(nearest("lsiten", kNames), "listen");
  EXPECT_EQ(nearest("lgo", kNames), "log");
}

TEST(Nearest, finds_none_where_none_is_near) {
  EXPECT_EQ(nearest("", kNames), "");
  EXPECT_EQ(nearest("database", kNames), "");
  EXPECT_EQ(nearest("xyz", kNames), "");
  EXPECT_EQ(nearest("heartbeat", {}), "");
  EXPECT_EQ(nearest(std::string(100'000, 'h'), kNames), "");
}

}  // namespace
}  // namespace vrelo::base
