// SPDX-License-Identifier: Apache-2.0
#include "hub/auth/sqlite/revocation_file.h"

#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace vrelo::auth::sqlite {
namespace {

using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;
using Kind = Revocation::Kind;

class RevocationFileTest : public ::testing::Test {
 protected:
  RevocationFileTest() { remove(); }
  ~RevocationFileTest() override { remove(); }

  void remove() const {
    for (const char* const suffix : {"", "-journal", "-wal", "-shm"}) {
      std::filesystem::remove(file_ + suffix);
    }
  }

  std::vector<Revocation> loaded() const { return *RevocationFile::load(file_); }

  const std::string file_ =
      ::testing::TempDir() + "vrelo_revocations_" + std::to_string(::getpid());
};

TEST_F(RevocationFileTest, is_empty_at_first) {
  EXPECT_THAT(loaded(), IsEmpty());
  std::ofstream{file_}.flush();  // a kill in the first addition
  EXPECT_THAT(loaded(), IsEmpty());
  ASSERT_TRUE(RevocationFile::open(file_));
  EXPECT_THAT(loaded(), IsEmpty());
}

TEST_F(RevocationFileTest, keeps_what_was_added) {
  const Revocation token{"a", Kind::kToken, std::string("t\0\n", 3), NumericDate(1.5)};
  const Revocation subject{"a", Kind::kSubject, "eva", NumericDate(2)};
  const Revocation key{"b", Kind::kKey, "", NumericDate(3)};
  for (const Revocation& revocation : {token, subject, key}) {
    ASSERT_TRUE(RevocationFile::open(file_)->add(revocation));
  }
  EXPECT_THAT(loaded(), UnorderedElementsAre(token, subject, key));
}

TEST_F(RevocationFileTest, is_read_also_while_another_has_it_open) {
  auto file = *RevocationFile::open(file_);
  const Revocation token{"a", Kind::kToken, "t", NumericDate(1)};
  ASSERT_TRUE(file.add(token));
  EXPECT_THAT(loaded(), UnorderedElementsAre(token));
}

TEST_F(RevocationFileTest, holds_the_later_time) {
  auto file = *RevocationFile::open(file_);
  for (const double at : {2.0, 3.0, 1.0}) {
    ASSERT_TRUE(file.add({"a", Kind::kSubject, "eva", NumericDate(at)}));
  }
  EXPECT_THAT(loaded(),
              UnorderedElementsAre(Revocation{"a", Kind::kSubject, "eva", NumericDate(3)}));
}

TEST_F(RevocationFileTest, covers_as_much_as_before_though_it_keeps_milliseconds) {
  auto file = *RevocationFile::open(file_);
  ASSERT_TRUE(file.add({"a", Kind::kSubject, "eva", NumericDate(2.0004), NumericDate(9.0001)}));
  EXPECT_THAT(loaded(), UnorderedElementsAre(Revocation{"a", Kind::kSubject, "eva",
                                                        NumericDate(2.001), NumericDate(9.001)}));
}

TEST_F(RevocationFileTest, removes_what_is_over) {
  auto file = *RevocationFile::open(file_);
  const Revocation over{"a", Kind::kToken, "t1", NumericDate(1), NumericDate(9)};
  const Revocation renewed{"a", Kind::kSubject, "eva", NumericDate(1), NumericDate(9)};
  const Revocation endless{"a", Kind::kSubject, "tom", NumericDate(1), NumericDate(9)};
  const Revocation other{"b", Kind::kToken, "t1", NumericDate(1), NumericDate(9)};
  const Revocation again{"a", Kind::kSubject, "eva", NumericDate(2), NumericDate(10)};
  const Revocation for_ever{"a", Kind::kSubject, "tom", NumericDate(2)};
  for (const Revocation& revocation : {over, renewed, endless, other, again, for_ever}) {
    ASSERT_TRUE(file.add(revocation));
  }
  const Revocation late{"b", Kind::kToken, "t2", NumericDate(10)};
  ASSERT_TRUE(file.add(late, std::vector{over, renewed, endless}));
  EXPECT_THAT(loaded(), UnorderedElementsAre(other, again, for_ever, late));
}

TEST_F(RevocationFileTest, removes_what_it_has_loaded_whatever_its_fractions) {
  auto file = *RevocationFile::open(file_);
  for (int i = 0; i < 100; ++i) {
    const NumericDate at(1764500000 + 0.0137 * i);
    ASSERT_TRUE(file.add({"a", Kind::kToken, std::to_string(i), at, at + NumericDate(60)}));
  }
  const Revocation late{"a", Kind::kToken, "late", NumericDate(1764600000)};
  ASSERT_TRUE(file.add(late, loaded()));
  EXPECT_THAT(loaded(), UnorderedElementsAre(late));
}

TEST_F(RevocationFileTest, leaves_alone_what_is_none) {
  const std::string text = "this is something else, and longer than a page of a database has to be";
  std::ofstream(file_) << text;
  EXPECT_FALSE(RevocationFile::open(file_));
  EXPECT_FALSE(RevocationFile::load(file_));
  std::string kept;
  std::getline(std::ifstream(file_), kept);
  EXPECT_EQ(kept, text);

  remove();
  auto other = *base::sqlite::Connection::open(
      file_, {.access = base::sqlite::ConnectionOptions::Access::kCreate});
  ASSERT_TRUE(other.execute("CREATE TABLE a (b)"));
  EXPECT_EQ(RevocationFile::open(file_).error(), base::sqlite::Errc::kNotADatabase);
  EXPECT_EQ(RevocationFile::load(file_).error(), base::sqlite::Errc::kNotADatabase);
}

}  // namespace
}  // namespace vrelo::auth::sqlite
