// SPDX-License-Identifier: Apache-2.0
#include "cli/small_file.h"

#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace vrelo::cli {
namespace {

using ::testing::HasSubstr;

class SmallFile : public ::testing::Test {
 protected:
  ~SmallFile() override { std::filesystem::remove(path_); }

  mode_t mode() const {
    struct stat status = {};
    EXPECT_EQ(::stat(path_.c_str(), &status), 0);
    return status.st_mode & 0777U;
  }

  const std::string path_ = ::testing::TempDir() + "vrelo_small_" + std::to_string(::getpid());
};

TEST_F(SmallFile, holds_what_was_written) {
  const std::string text(10'000, 'a');
  ASSERT_TRUE(make_small_file(path_, text, Secrecy::kPlain));
  EXPECT_EQ(*read_small_file(path_, 10'000), text);
}

TEST_F(SmallFile, that_is_secret_is_for_its_owner_alone) {
  ASSERT_TRUE(make_small_file(path_, "a", Secrecy::kSecret));
  EXPECT_EQ(mode(), 0600U);
}

TEST_F(SmallFile, that_is_there_already_stays_as_it_is) {
  ASSERT_TRUE(make_small_file(path_, "a", Secrecy::kPlain));
  EXPECT_EQ(make_small_file(path_, "b", Secrecy::kPlain).error().message, path_ + ": File exists");
  EXPECT_EQ(*read_small_file(path_, 10), "a");
}

TEST_F(SmallFile, that_is_too_long_or_not_there_is_an_error) {
  ASSERT_TRUE(make_small_file(path_, "abc", Secrecy::kPlain));
  EXPECT_EQ(read_small_file(path_, 2).error().message, path_ + " is longer than 2 bytes");
  EXPECT_EQ(read_small_file(path_ + ".not", 2).error().message,
            path_ + ".not: No such file or directory");
  EXPECT_THAT(make_small_file(path_ + ".not/a", "", Secrecy::kPlain).error().message,
              HasSubstr("No such file or directory"));
}

}  // namespace
}  // namespace vrelo::cli
