// SPDX-License-Identifier: Apache-2.0
#include "cli/token_file.h"

#include <filesystem>
#include <fstream>

#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace vrelo::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class TokenFileTest : public ::testing::Test {
 protected:
  ~TokenFileTest() override { std::filesystem::remove(path_); }

  base::Parsed<Fields> fields_of(std::string_view contents) const {
    std::ofstream(path_, std::ios::binary) << contents;
    return token_fields({.file = path_, .token = ""});
  }

  const std::string path_ = ::testing::TempDir() + "vrelo_token_" + std::to_string(::getpid());
};

TEST_F(TokenFileTest, becomes_a_field) {
  const Fields expected = {{"Authorization", "Bearer a.b-_c.d"}};
  EXPECT_EQ(*fields_of("a.b-_c.d"), expected);
  EXPECT_EQ(*fields_of("a.b-_c.d\r\n"), expected);
  EXPECT_EQ(*token_fields({}), Fields());
}

TEST_F(TokenFileTest, says_what_is_wrong_and_nothing_of_the_token) {
  EXPECT_THAT(fields_of("\n").error().message, HasSubstr("is empty"));
  for (const std::string_view contents : {"Bearer secret", "secret\nsecret", "se\"cret"}) {
    const std::string message = fields_of(contents).error().message;
    EXPECT_THAT(message, HasSubstr("is no token"));
    EXPECT_THAT(message, Not(HasSubstr("cret")));
  }
  EXPECT_THAT(fields_of(std::string(20'000, 'a')).error().message,
              HasSubstr("is longer than 16384 bytes"));
  EXPECT_THAT(token_fields({.file = path_ + ".not", .token = ""}).error().message,
              HasSubstr("No such file"));
  const std::string message = token_fields({.file = "", .token = "secret"}).error().message;
  EXPECT_THAT(message, HasSubstr("--token-file"));
  EXPECT_THAT(message, Not(HasSubstr("secret")));
}

}  // namespace
}  // namespace vrelo::cli
