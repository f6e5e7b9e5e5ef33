// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>

#include "hub/base/sqlite/errc.h"

struct sqlite3;
struct sqlite3_stmt;

namespace vrelo::base::sqlite {

// A prepared statement, to be run many times.
//
// Threads: those of its Connection.
// Lifetime: its Connection outlives it. Text and blobs that are bound are not copied: they must
// live until the next reset().
// Order: bind, step() until it returns false, reset(). A statement that is not reset keeps its
// transaction open.
class Statement {
 public:
  // Parameters count from 1. What is not bound is NULL; bindings survive reset().
  Statement& bind(int parameter, std::int64_t value);
  Statement& bind_bits(int parameter, std::uint64_t bits);  // as the integer of the same bits
  Statement& bind_blob(int parameter, std::string_view bytes);
  Statement& bind_text(int parameter, std::string_view text);

  // Returns whether there is a row.
  Result<bool> step();

  // Runs a statement that gives no rows, or whose rows do not matter, and resets it.
  Result<void> run();

  void reset();

  // Columns count from 0; only while step() says that there is a row. NULL is 0 and "".
  // Lifetime: a view is valid until the next step() or reset().
  std::int64_t integer(int column) const;
  std::uint64_t bits(int column) const;
  std::string_view bytes(int column) const;

 private:
  friend class Connection;

  struct Finalize {
    void operator()(sqlite3_stmt* statement) const;
  };

  explicit Statement(sqlite3_stmt* statement) : statement_(statement) {}

  std::unique_ptr<sqlite3_stmt, Finalize> statement_;
};

// Resets a statement when the scope ends, however it ends. Lifetime: the statement outlives it.
class Reset {
 public:
  explicit Reset(Statement& statement) : statement_(statement) {}
  Reset(const Reset&) = delete;
  Reset& operator=(const Reset&) = delete;
  ~Reset() { statement_.reset(); }

 private:
  Statement& statement_;
};

// How a Connection opens its file.
struct ConnectionOptions {
  enum class Access {
    kExamine,     // reads the file alone, without its write-ahead log, and makes no file
                  // beside it; only where no connection writes meanwhile
    kExamineAll,  // the same, with the write-ahead log; kBusy if another connection is open
    kRead,        // leaves the write-ahead log where it is, also when it is the last to close
    kWrite,
    kCreate,  // also if there is no such file yet
  };

  Access access = Access::kRead;
  std::string vfs = {};  // the name of a registered VFS; "": the system's own
};

// One connection to one SQLite database.
//
// Threads: one at a time; the connection does not lock.
// Lifetime: outlives its statements.
class Connection {
 public:
  // Errors: any of Errc. The file may be found unusable only by the first statement.
  static Result<Connection> open(const std::string& file, const ConnectionOptions& options);

  Result<Statement> prepare(std::string_view sql);

  // Runs one or more statements without parameters and rows.
  Result<void> execute(const std::string& sql);

  // Runs a query that gives one integer, as most pragmas do.
  Result<std::int64_t> integer(std::string_view sql);

  // How many rows the last INSERT, UPDATE or DELETE changed.
  std::int64_t changes() const;

  // The write-ahead log's frames that the last commit left, 0 before the first commit.
  std::int64_t wal_frames() const { return *wal_frames_; }

 private:
  struct Close {
    void operator()(sqlite3* database) const;
  };

  explicit Connection(sqlite3* database);

  std::unique_ptr<sqlite3, Close> database_;
  std::unique_ptr<std::int64_t> wal_frames_;  // SQLite writes to it: its address stays
};

// A transaction that is rolled back unless commit() succeeded.
//
// Lifetime: its Connection outlives it and does not move. Order: one at a time on a connection.
class Transaction {
 public:
  enum class Kind { kRead, kWrite };

  static Result<Transaction> begin(Connection& connection, Kind kind);

  Transaction(Transaction&& other) noexcept;
  Transaction& operator=(Transaction&&) = delete;
  ~Transaction();

  // Errors: after any, nothing of the transaction may be taken as stored; after kIo it may have
  // been.
  Result<void> commit();

 private:
  explicit Transaction(Connection& connection) : connection_(&connection) {}

  Connection* connection_;  // nullptr: ended
};

}  // namespace vrelo::base::sqlite
