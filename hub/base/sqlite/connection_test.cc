// SPDX-License-Identifier: Apache-2.0
#include "hub/base/sqlite/connection.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include <gtest/gtest.h>

namespace vrelo::base::sqlite {
namespace {

using Access = ConnectionOptions::Access;

class SqliteConnection : public ::testing::Test {
 protected:
  SqliteConnection() {
    std::string folder = ::testing::TempDir() + "vrelo_sqlite_XXXXXX";
    EXPECT_NE(::mkdtemp(folder.data()), nullptr);
    folder_ = folder;
  }
  ~SqliteConnection() override { std::filesystem::remove_all(folder_); }

  std::string file() const { return folder_ / "test.db"; }

  Connection open_new() {
    Connection connection = Connection::open(file(), {.access = Access::kCreate}).value();
    connection.execute("CREATE TABLE t(a INTEGER PRIMARY KEY, b BLOB)").value();
    return connection;
  }

 private:
  std::filesystem::path folder_;
};

TEST_F(SqliteConnection, gives_back_what_was_bound) {
  Connection connection = open_new();
  Statement insert = connection.prepare("INSERT INTO t VALUES(?, ?)").value();
  const std::string blob("\0a", 2);
  insert.bind(1, -7).bind_blob(2, blob).run().value();
  insert.bind(1, 8).bind_blob(2, {}).run().value();

  Statement select = connection.prepare("SELECT a, b, b IS NULL FROM t ORDER BY a").value();
  ASSERT_TRUE(select.step().value());
  EXPECT_EQ(select.integer(0), -7);
  EXPECT_EQ(select.bytes(1), blob);
  ASSERT_TRUE(select.step().value());
  EXPECT_EQ(select.bytes(1), "");
  EXPECT_EQ(select.integer(2), 0);
  EXPECT_FALSE(select.step().value());
}

TEST_F(SqliteConnection, rolls_back_what_was_not_committed) {
  Connection connection = open_new();
  {
    const Transaction transaction =
        Transaction::begin(connection, Transaction::Kind::kWrite).value();
    connection.execute("INSERT INTO t VALUES(1, '')").value();
  }
  EXPECT_EQ(connection.integer("SELECT count(*) FROM t").value(), 0);
}

TEST_F(SqliteConnection, keeps_what_was_committed) {
  Connection connection = open_new();
  Transaction transaction = Transaction::begin(connection, Transaction::Kind::kWrite).value();
  connection.execute("INSERT INTO t VALUES(1, '')").value();
  EXPECT_EQ(connection.changes(), 1);
  transaction.commit().value();
  EXPECT_EQ(connection.integer("SELECT count(*) FROM t").value(), 1);
}

TEST_F(SqliteConnection, knows_how_long_the_write_ahead_log_is) {
  Connection connection = Connection::open(file(), {.access = Access::kCreate}).value();
  EXPECT_EQ(connection.wal_frames(), 0);
  connection.execute("PRAGMA journal_mode=WAL; CREATE TABLE t(a)").value();
  EXPECT_GT(connection.wal_frames(), 0);
}

TEST_F(SqliteConnection, says_that_there_is_no_such_file) {
  EXPECT_EQ(Connection::open(file(), {.access = Access::kWrite}).error(), Errc::kCannotOpen);
}

TEST_F(SqliteConnection, says_that_the_file_is_no_database) {
  std::ofstream(file()) << std::string(8192, 'x');
  Connection connection = Connection::open(file(), {.access = Access::kWrite}).value();
  EXPECT_EQ(connection.integer("PRAGMA user_version").error(), Errc::kNotADatabase);
}

TEST_F(SqliteConnection, says_that_the_vfs_is_not_known) {
  EXPECT_TRUE(Connection::open(file(), {.access = Access::kCreate, .vfs = "none"}).has_error());
}

TEST_F(SqliteConnection, reads_through_a_connection_that_may_only_read) {
  open_new().execute("INSERT INTO t VALUES(1, 'x')").value();
  Connection reader = Connection::open(file(), {.access = Access::kRead}).value();
  EXPECT_EQ(reader.integer("SELECT count(*) FROM t").value(), 1);
  EXPECT_EQ(reader.execute("DELETE FROM t").error(), Errc::kReadOnly);
}

TEST_F(SqliteConnection, examines_a_write_ahead_log_and_leaves_all_files_as_they_were) {
  const std::string copy = file() + ".copy";
  {
    Connection writer = open_new();
    writer.execute("PRAGMA journal_mode=WAL; INSERT INTO t VALUES(1, 'x')").value();
    // As a process that is killed leaves it.
    std::filesystem::copy_file(file(), copy);
    std::filesystem::copy_file(file() + "-wal", copy + "-wal");
  }
  const auto contents = [](const std::string& name) {
    std::ifstream in(name, std::ios::binary);
    return std::string(std::istreambuf_iterator<char>(in), {});
  };
  const std::string before = contents(copy);
  const std::string wal_before = contents(copy + "-wal");
  {
    Connection examiner = Connection::open(copy, {.access = Access::kExamineAll}).value();
    EXPECT_EQ(examiner.integer("SELECT count(*) FROM t").value(), 1);
    EXPECT_EQ(examiner.execute("DELETE FROM t").error(), Errc::kReadOnly);
  }
  EXPECT_EQ(contents(copy), before);
  EXPECT_EQ(contents(copy + "-wal"), wal_before);
  EXPECT_FALSE(std::filesystem::exists(copy + "-shm"));
}

TEST_F(SqliteConnection, does_not_examine_a_write_ahead_log_that_another_uses) {
  Connection writer = open_new();
  writer.execute("PRAGMA journal_mode=WAL; INSERT INTO t VALUES(1, 'x')").value();
  Connection examiner = Connection::open(file(), {.access = Access::kExamineAll}).value();
  EXPECT_EQ(examiner.integer("SELECT count(*) FROM t").error(), Errc::kBusy);
}

TEST(SqliteErrc, has_a_message_that_an_operator_can_act_on) {
  EXPECT_EQ(make_error_code(Errc::kFull).message(), "database or disk is full");
}

}  // namespace
}  // namespace vrelo::base::sqlite
