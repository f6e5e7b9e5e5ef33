// SPDX-License-Identifier: Apache-2.0
#include "hub/auth/errc.h"

#include <set>
#include <string>

#include <gtest/gtest.h>

namespace vrelo::auth {
namespace {

TEST(AuthErrc, has_a_message_of_its_own_for_each_error) {
  std::set<std::string> messages;
  for (int value = 1; value <= static_cast<int>(Errc::kCookieMalformed); ++value) {
    const std::string message = make_error_code(static_cast<Errc>(value)).message();
    EXPECT_NE(message, "unknown error") << value;
    EXPECT_TRUE(messages.insert(message).second) << message;
  }
}

}  // namespace
}  // namespace vrelo::auth
