// SPDX-License-Identifier: Apache-2.0
#include "hub/base/setting_text.h"

#include <chrono>
#include <cstdint>
#include <string_view>

#include <gtest/gtest.h>

namespace vrelo::base {
namespace {

using std::chrono::milliseconds;

TEST(SettingText, reads_sizes_with_and_without_a_unit) {
  const struct {
    std::string_view text;
    std::uint64_t bytes;
  } cases[] = {
      {"0", 0},
      {"4096", 4096},
      {"12 B", 12},
      {"64 MiB", 67'108'864},
      {"64MiB", 67'108'864},
      {"64mib", 67'108'864},
      {"1 kB", 1'000},
      {"1 KB", 1'000},
      {"1KiB", 1'024},
      {"2 GB", 2'000'000'000},
      {"1GiB", 1'073'741'824},
      {"1 TiB", 1'099'511'627'776},
      {"9223372036854775807", 9'223'372'036'854'775'807},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.text);
    const auto bytes = parse_bytes(c.text);
    ASSERT_TRUE(bytes);
    EXPECT_EQ(*bytes, c.bytes);
  }
}

TEST(SettingText, refuses_what_is_no_size) {
  for (const std::string_view text :
       {"", " ", "MiB", "-1", "+1", "1.5 GiB", "1  MiB", "1 ", " 1", "64 Mib s", "64 pounds",
        "0x10", "9223372036854775808", "8388608 TiB", "99999999999999999999"}) {
    SCOPED_TRACE(text);
    EXPECT_FALSE(parse_bytes(text));
  }
}

TEST(SettingText, writes_sizes_in_the_largest_unit_without_a_fraction) {
  EXPECT_EQ(format_bytes(0), "0");
  EXPECT_EQ(format_bytes(1), "1");
  EXPECT_EQ(format_bytes(1'000), "1000");
  EXPECT_EQ(format_bytes(4'096), "4 KiB");
  EXPECT_EQ(format_bytes(67'108'864), "64 MiB");
  EXPECT_EQ(format_bytes(1'073'741'824), "1 GiB");
  EXPECT_EQ(format_bytes(1'073'741'825), "1073741825");
}

TEST(SettingText, reads_durations_and_takes_a_plain_number_for_seconds) {
  const struct {
    std::string_view text;
    std::int64_t ms;
  } cases[] = {
      {"0", 0},
      {"15", 15'000},
      {"15s", 15'000},
      {"15 s", 15'000},
      {"250ms", 250},
      {"5min", 300'000},
      {"24h", 86'400'000},
      {"7d", 604'800'000},
      {"24H", 86'400'000},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.text);
    const auto duration = parse_duration(c.text);
    ASSERT_TRUE(duration);
    EXPECT_EQ(duration->count(), c.ms);
  }
}

TEST(SettingText, refuses_what_is_no_duration) {
  for (const std::string_view text :
       {"", "s", "soon", "-1s", "1.5s", "5m", "1h30min", "1y", "40000d", "99999999999999999999"}) {
    SCOPED_TRACE(text);
    EXPECT_FALSE(parse_duration(text));
  }
}

TEST(SettingText, writes_durations_in_the_largest_unit_without_a_fraction) {
  EXPECT_EQ(format_duration(milliseconds(0)), "0");
  EXPECT_EQ(format_duration(milliseconds(1)), "1ms");
  EXPECT_EQ(format_duration(milliseconds(1'500)), "1500ms");
  EXPECT_EQ(format_duration(milliseconds(15'000)), "15s");
  EXPECT_EQ(format_duration(milliseconds(90'000)), "90s");
  EXPECT_EQ(format_duration(milliseconds(86'400'000)), "1d");
}

TEST(SettingText, reads_back_what_it_writes) {
  for (const std::uint64_t value :
       {0ULL, 1ULL, 1023ULL, 1024ULL, 1536ULL, 86'400'000ULL, 12'345ULL}) {
    SCOPED_TRACE(value);
    EXPECT_EQ(*parse_bytes(format_bytes(value)), value);
    const milliseconds duration(value);
    EXPECT_EQ(*parse_duration(format_duration(duration)), duration);
  }
}

TEST(SettingText, reads_and_writes_endpoints) {
  const struct {
    std::string_view text;
    std::string_view written;
  } cases[] = {
      {"127.0.0.1:3000", "127.0.0.1:3000"},
      {"0.0.0.0:0", "0.0.0.0:0"},
      {"[::1]:65535", "[::1]:65535"},
      {"localhost:80", "127.0.0.1:80"},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.text);
    const auto endpoint = parse_endpoint(c.text);
    ASSERT_TRUE(endpoint);
    EXPECT_EQ(format_endpoint(*endpoint), c.written);
  }
}

TEST(SettingText, refuses_what_is_no_endpoint) {
  for (const std::string_view text :
       {"", "3000", ":3000", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536", "127.0.0.1:-1",
        "127.1:80", "::1:3000", "[127.0.0.1]:80", "[localhost]:80", "example.com:80",
        "127.0.0.1:80 "}) {
    SCOPED_TRACE(text);
    EXPECT_FALSE(parse_endpoint(text));
  }
}

}  // namespace
}  // namespace vrelo::base
