// SPDX-License-Identifier: Apache-2.0
#include "hub/net/look_up.h"

#include <chrono>
#include <optional>
#include <string>

#include <gtest/gtest.h>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>

namespace vrelo::net {
namespace {

using Result = boost::system::result<LookUp::Addresses>;

Result look_up(const std::string& host) {
  boost::asio::io_context loop{1};
  const auto work = boost::asio::make_work_guard(loop);
  std::optional<Result> result;
  const LookUp look_up(loop.get_executor(), host, 443,
                       [&](const Result& found) { result = found; });
  EXPECT_FALSE(result);  // not before the loop runs
  while (!result && loop.run_one_for(std::chrono::seconds(60)) > 0) {
  }
  return *result;
}

TEST(LookUp, finds_addresses) {
  for (const char* const host : {"127.0.0.1", "localhost"}) {
    SCOPED_TRACE(host);
    const Result found = look_up(host);
    ASSERT_TRUE(found) << found.error().message();
    ASSERT_FALSE(found->empty());
    EXPECT_TRUE(found->front().address().is_loopback());
    EXPECT_EQ(found->front().port(), 443);
  }
}

TEST(LookUp, says_that_there_is_no_such_name) {
  const Result found = look_up("a name with spaces");
  ASSERT_FALSE(found);
  EXPECT_FALSE(found.error().message().empty());
}

TEST(LookUp, that_is_ended_tells_nobody) {
  boost::asio::io_context loop{1};
  std::optional<LookUp> look_up;
  bool is_called = false;
  look_up.emplace(loop.get_executor(), "127.0.0.1", 443, [&](const Result&) { is_called = true; });
  look_up.reset();
  loop.poll();
  EXPECT_FALSE(is_called);
}

}  // namespace
}  // namespace vrelo::net
