// SPDX-License-Identifier: Apache-2.0
#include "hub/base/logging.h"

#include <chrono>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "hub/base/clock_testing.h"

namespace vrelo::base {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

class LoggerTest : public testing::Test {
 protected:
  ManualClock clock_;
  std::vector<std::string> lines_;
  Logger logger_{clock_, LogLevel::kInfo,
                 [this](std::string_view line) { lines_.emplace_back(line); }};
};

TEST_F(LoggerTest, writes_a_line_with_its_level) {
  logger_.info("listening on {}", "http://127.0.0.1:3000");
  logger_.warning("careful");
  logger_.error("{} failed", 1);
  EXPECT_THAT(lines_, ElementsAre("info listening on http://127.0.0.1:3000", "warning careful",
                                  "error 1 failed"));
}

TEST_F(LoggerTest, writes_nothing_below_its_level) {
  logger_.debug("not this");
  EXPECT_THAT(lines_, IsEmpty());
  logger_.set_level(LogLevel::kDebug);
  logger_.debug("this");
  logger_.set_level(LogLevel::kError);
  logger_.warning("not this");
  logger_.refused("not this", "either");
  EXPECT_THAT(lines_, ElementsAre("debug this"));
}

TEST_F(LoggerTest, keeps_a_line_one_line_whatever_is_in_it) {
  logger_.info("{}", "a\nerror b\r\x1b[31m\x7f\tc");
  logger_.info("{}", "caf\xC3\xA9");
  logger_.info("{}", "\xFF\xC3\xA9");
  logger_.info("{}",
               "\xC2\x9B"
               "31m");  // the one-character form of ESC [
  EXPECT_THAT(lines_, ElementsAre("info a\\x0aerror b\\x0d\\x1b[31m\\x7f\\x09c", "info caf\xC3\xA9",
                                  "info \\xff\\xc3\\xa9", "info \\xc2\\x9b31m"));
}

TEST_F(LoggerTest, replaces_what_is_beyond_4_kib_by_its_length) {
  logger_.info("{}", std::string(4096, 'a'));
  logger_.info("{}", std::string(5096, 'a'));
  EXPECT_THAT(lines_, ElementsAre("info " + std::string(4096, 'a'),
                                  "info " + std::string(4096, 'a') + " (1000 bytes more)"));
}

TEST_F(LoggerTest, writes_ten_refusals_of_a_reason_at_once_and_then_counts) {
  for (int i = 0; i < 1000; ++i) {
    logger_.refused("too many connections", "192.0.2.1");
  }
  EXPECT_THAT(lines_, SizeIs(10));
  EXPECT_EQ(lines_[9], "info too many connections: 192.0.2.1");
  clock_.advance(seconds(6));
  logger_.refused("too many connections", "192.0.2.2");
  logger_.refused("too many connections", "192.0.2.3");
  ASSERT_THAT(lines_, SizeIs(11));
  EXPECT_EQ(lines_[10], "info too many connections: 192.0.2.2 (and 990 more before)");
}

TEST_F(LoggerTest, writes_ten_refusals_of_a_reason_a_minute) {
  for (int second = 0; second < 600; ++second) {
    logger_.refused("no such topic", "");
    clock_.advance(seconds(1));
  }
  EXPECT_THAT(lines_, SizeIs(10 + 99));
  clock_.advance(minutes(60));
  lines_.clear();
  for (int i = 0; i < 100; ++i) {
    logger_.refused("no such topic", "");
  }
  EXPECT_THAT(lines_, SizeIs(10));
}

TEST_F(LoggerTest, measures_each_reason_by_itself_up_to_256_reasons) {
  for (int i = 0; i < 20; ++i) {
    logger_.refused("one", "");
    logger_.refused("two", "");
  }
  EXPECT_THAT(lines_, SizeIs(20));
  lines_.clear();
  for (int i = 0; i < 10'000; ++i) {
    logger_.refused("reason " + std::to_string(i), "");
  }
  EXPECT_THAT(lines_, SizeIs(254 + 10));
}

TEST_F(LoggerTest, takes_lines_of_several_threads) {
  std::vector<std::thread> threads;
  for (int t = 0; t < 2; ++t) {
    threads.emplace_back([this] {
      for (int i = 0; i < 1000; ++i) {
        logger_.info("line");
        logger_.refused("reason", "detail");
      }
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  EXPECT_THAT(lines_, SizeIs(2 * 1000 + 10));
}

TEST(Logger, writes_to_standard_error_with_time_and_level) {
  testing::internal::CaptureStderr();
  const ManualClock clock;
  {
    Logger logger(clock, LogLevel::kInfo);
    logger.info("hello");
    logger.error("it {}", "broke");
  }
  EXPECT_THAT(testing::internal::GetCapturedStderr(),
              testing::MatchesRegex("....-..-..T..:..:..\\....Z info hello\n"
                                    "....-..-..T..:..:..\\....Z error it broke\n"));
}

}  // namespace
}  // namespace vrelo::base
