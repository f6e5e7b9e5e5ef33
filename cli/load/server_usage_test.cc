// SPDX-License-Identifier: Apache-2.0
#include "cli/load/server_usage.h"

#include <sys/resource.h>
#include <unistd.h>

#include <array>
#include <vector>

#include <gtest/gtest.h>

namespace vrelo::cli::load {
namespace {

std::chrono::microseconds own_time() {
  rusage usage = {};
  EXPECT_EQ(::getrusage(RUSAGE_SELF, &usage), 0);
  return std::chrono::seconds(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
         std::chrono::microseconds(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
}

TEST(ServerUsage, grows_by_what_a_process_works_and_holds) {
  const std::array processes{::getpid()};
  const auto before = usage_of(processes, Memory::kYes);
  const auto begin = own_time();
  ASSERT_TRUE(before);
  constexpr std::size_t kBytes = std::size_t{32} << 20;
  std::vector<char> held(kBytes, 'a');
  while (own_time() - begin < std::chrono::milliseconds(50)) {
    held[0] = static_cast<char>(held[0] + 1);
  }
  const auto after = usage_of(processes, Memory::kYes);
  const auto worked = own_time() - begin;
  ASSERT_TRUE(after);
  EXPECT_GT(after->run - before->run, std::chrono::milliseconds(40));
  EXPECT_LE(after->run - before->run, worked + std::chrono::milliseconds(20));
  EXPECT_GE(after->user + after->system - before->user - before->system,
            std::chrono::milliseconds(20));
  EXPECT_GE(after->resident_bytes - before->resident_bytes, kBytes);
}

TEST(ServerUsage, has_no_memory_where_nobody_asks) {
  const std::array processes{::getpid()};
  const auto usage = usage_of(processes, Memory::kNo);
  ASSERT_TRUE(usage);
  EXPECT_EQ(usage->resident_bytes, 0U);
}

TEST(ServerUsage, says_that_a_process_is_not_there) {
  const std::array processes{pid_t{0x7FFFFFFF}};
  EXPECT_FALSE(usage_of(processes, Memory::kNo));
}

}  // namespace
}  // namespace vrelo::cli::load
