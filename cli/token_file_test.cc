// SPDX-License-Identifier: Apache-2.0
#include "cli/token_file.h"

#include <filesystem>
#include <fstream>

#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace vrelo::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

class TokenFileTest : public ::testing::Test {
 protected:
  ~TokenFileTest() override { std::filesystem::remove(path_); }

  base::Parsed<Fields> fields_of(std::string_view contents) const {
    std::ofstream(path_, std::ios::binary) << contents;
    return token_fields({.file = path_, .token = ""});
  }

  base::Parsed<std::vector<std::string>> tokens() const {
    return read_tokens({.file = path_, .token = ""}, "--a");
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

TEST_F(TokenFileTest, may_hold_a_token_a_line_where_many_are_wanted) {
  std::ofstream(path_, std::ios::binary) << "a.b.c\nd.e.f\r\ng.h.i";
  EXPECT_THAT(*tokens(), ElementsAre("a.b.c", "d.e.f", "g.h.i"));
  EXPECT_THAT(*read_tokens({}, "--a"), IsEmpty());
}

TEST_F(TokenFileTest, says_which_line_is_no_token) {
  std::ofstream(path_, std::ios::binary) << "a.b.c\nse\"cret\n";
  const std::string message = tokens().error().message;
  EXPECT_THAT(message, HasSubstr("line 2 is no token"));
  EXPECT_THAT(message, Not(HasSubstr("cret")));
  std::ofstream(path_, std::ios::binary) << "a.b.c\n\nd.e.f\n";
  EXPECT_THAT(tokens().error().message, HasSubstr("line 2 is no token"));
  std::ofstream(path_, std::ios::binary | std::ios::trunc);
  EXPECT_THAT(tokens().error().message, HasSubstr("is empty"));
  EXPECT_THAT(read_tokens({.file = path_ + ".not", .token = ""}, "--a").error().message,
              HasSubstr("--a: "));
  EXPECT_THAT(read_tokens({.file = "", .token = "secret"}, "--a").error().message,
              HasSubstr("every user of this machine"));
}

}  // namespace
}  // namespace vrelo::cli
