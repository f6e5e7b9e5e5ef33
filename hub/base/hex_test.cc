// SPDX-License-Identifier: Apache-2.0
#include "hub/base/hex.h"

#include <cstddef>
#include <string_view>

#include <gtest/gtest.h>

namespace vrelo::base {
namespace {

TEST(Hex, digits_have_values_and_other_bytes_none) {
  constexpr std::string_view kDigits = "0123456789abcdefABCDEF";
  for (int byte = 0; byte < 256; ++byte) {
    const std::size_t at = kDigits.find(static_cast<char>(byte));
    const int value = at == std::string_view::npos ? -1 : static_cast<int>(at < 16 ? at : at - 6);
    EXPECT_EQ(hex_value(static_cast<char>(byte)), value) << byte;
  }
}

}  // namespace
}  // namespace vrelo::base
