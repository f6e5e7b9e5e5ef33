// SPDX-License-Identifier: Apache-2.0
#include "hub/log/event_id.h"

#include <limits>

#include <gtest/gtest.h>

namespace vrelo::log {
namespace {

TEST(EventId, names_the_epoch_in_base64url_and_the_offset_in_decimal) {
  EXPECT_EQ(event_id({.epoch = 0, .offset = 0}), "#AAAAAAAAAAA.0");
  EXPECT_EQ(event_id({.epoch = 1, .offset = 42}), "#AAAAAAAAAAE.42");
  EXPECT_EQ(event_id({.epoch = 0x0123456789ABCDEF, .offset = 7}), "#ASNFZ4mrze8.7");
  EXPECT_EQ(event_id({.epoch = std::numeric_limits<std::uint64_t>::max(),
                      .offset = std::numeric_limits<std::uint64_t>::max()}),
            "#__________8.18446744073709551615");
}

TEST(EventId, comes_back_as_the_position_it_was_made_from) {
  for (const std::uint64_t epoch : {0ULL, 1ULL, 0x8000000000000000ULL, 0xFEDCBA9876543210ULL}) {
    for (const std::uint64_t offset : {0ULL, 1ULL, 9ULL, 10ULL, 18446744073709551615ULL}) {
      const Position position{.epoch = epoch, .offset = offset};
      EXPECT_EQ(parse_event_id(event_id(position)), position);
    }
  }
}

TEST(EventId, is_refused_in_any_other_spelling) {
  struct Case {
    std::string_view text;
    std::string_view about;
  };
  const Case cases[] = {
      {"", "nothing"},
      {"#", "no epoch"},
      {"AAAAAAAAAAE.42", "no #"},
      {"#AAAAAAAAAAE.", "no offset"},
      {"#AAAAAAAAAAE", "no dot"},
      {"#AAAAAAAAAAE.042", "a leading zero"},
      {"#AAAAAAAAAAE.+42", "a sign"},
      {"#AAAAAAAAAAE.42 ", "a space behind"},
      {"#AAAAAAAAAAF.42", "bits behind the epoch's last"},
      {"#AAAAAAAAAA=.42", "a character outside base64url"},
      {"#AAAAAAAAAAE.18446744073709551616", "an offset of 2^64"},
      {"#AAAAAAAAAAE,42", "no dot but a comma"},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.about);
    EXPECT_EQ(parse_event_id(c.text), std::nullopt);
  }
}

}  // namespace
}  // namespace vrelo::log
