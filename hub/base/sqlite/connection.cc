// SPDX-License-Identifier: Apache-2.0
#include "hub/base/sqlite/connection.h"

#include <cassert>
#include <utility>

#include <sqlite3.h>

namespace vrelo::base::sqlite {
namespace {

int open_flags(ConnectionOptions::Access access) {
  constexpr int kOneThread = SQLITE_OPEN_NOMUTEX;
  switch (access) {
    case ConnectionOptions::Access::kExamine:
      return kOneThread | SQLITE_OPEN_READONLY | SQLITE_OPEN_URI;
    case ConnectionOptions::Access::kRead:
      return kOneThread | SQLITE_OPEN_READONLY;
    case ConnectionOptions::Access::kExamineAll:  // its lock needs a file that is open for writing
    case ConnectionOptions::Access::kWrite:
      return kOneThread | SQLITE_OPEN_READWRITE;
    case ConnectionOptions::Access::kCreate:
      return kOneThread | SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
  }
  return kOneThread;
}

int remember_wal_frames(void* frames, sqlite3* /*database*/, const char* /*name*/, int count) {
  *static_cast<std::int64_t*>(frames) = count;
  return SQLITE_OK;
}

// The URI of a file that is taken not to change: SQLite then neither locks it nor makes its -shm.
std::string immutable_uri(const std::string& file) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  std::string uri = "file:";
  for (const char c : file) {
    if (c == '%' || c == '?' || c == '#') {
      const auto byte = static_cast<unsigned char>(c);
      uri += {'%', kHex[byte >> 4], kHex[byte & 15]};
    } else {
      uri += c;
    }
  }
  return uri + "?immutable=1";
}

}  // namespace

void Statement::Finalize::operator()(sqlite3_stmt* statement) const {
  sqlite3_finalize(statement);  // repeats the error of the last step(), which was reported then
}

Statement& Statement::bind(int parameter, std::int64_t value) {
  [[maybe_unused]] const int rc = sqlite3_bind_int64(statement_.get(), parameter, value);
  assert(rc == SQLITE_OK);
  return *this;
}

Statement& Statement::bind_bits(int parameter, std::uint64_t bits) {
  return bind(parameter, static_cast<std::int64_t>(bits));
}

Statement& Statement::bind_blob(int parameter, std::string_view bytes) {
  // A null pointer would bind NULL instead of an empty blob.
  const char* const first = bytes.data() == nullptr ? "" : bytes.data();
  [[maybe_unused]] const int rc =
      sqlite3_bind_blob64(statement_.get(), parameter, first, bytes.size(), SQLITE_STATIC);
  assert(rc == SQLITE_OK);
  return *this;
}

Statement& Statement::bind_text(int parameter, std::string_view text) {
  const char* const first = text.data() == nullptr ? "" : text.data();
  [[maybe_unused]] const int rc = sqlite3_bind_text64(statement_.get(), parameter, first,
                                                      text.size(), SQLITE_STATIC, SQLITE_UTF8);
  assert(rc == SQLITE_OK);
  return *this;
}

Result<bool> Statement::step() {
  const int rc = sqlite3_step(statement_.get());
  if (rc == SQLITE_ROW || rc == SQLITE_DONE) {
    return rc == SQLITE_ROW;
  }
  // Said in full, because an error code also converts to bool.
  return Result<bool>(boost::system::in_place_error, make_error_code_from(rc));
}

Result<void> Statement::run() {
  const auto row = step();
  reset();
  if (!row) {
    return row.error();
  }
  return {};
}

void Statement::reset() {
  sqlite3_reset(statement_.get());  // repeats the error of the last step(), which was reported then
}

std::int64_t Statement::integer(int column) const {
  return sqlite3_column_int64(statement_.get(), column);
}

std::uint64_t Statement::bits(int column) const {
  return static_cast<std::uint64_t>(integer(column));
}

std::string_view Statement::bytes(int column) const {
  const void* const first = sqlite3_column_blob(statement_.get(), column);
  const int size = sqlite3_column_bytes(statement_.get(), column);
  return {static_cast<const char*>(first), static_cast<std::size_t>(size)};
}

void Connection::Close::operator()(sqlite3* database) const {
  [[maybe_unused]] const int rc = sqlite3_close(database);
  assert(rc == SQLITE_OK);  // else a statement outlived its connection
}

Connection::Connection(sqlite3* database)
    : database_(database), wal_frames_(std::make_unique<std::int64_t>(0)) {
  sqlite3_wal_hook(database, remember_wal_frames, wal_frames_.get());
}

Result<Connection> Connection::open(const std::string& file, const ConnectionOptions& options) {
  using Access = ConnectionOptions::Access;
  const std::string name = options.access == Access::kExamine ? immutable_uri(file) : file;
  sqlite3* database = nullptr;
  const int rc = sqlite3_open_v2(name.c_str(), &database, open_flags(options.access),
                                 options.vfs.empty() ? nullptr : options.vfs.c_str());
  if (rc != SQLITE_OK) {
    sqlite3_close(database);
    return make_error_code_from(rc);
  }
  Connection connection(database);
  if (options.access != Access::kWrite && options.access != Access::kCreate) {
    sqlite3_db_config(database, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
  }
  if (options.access == Access::kExamineAll) {
    // A connection that has the file to itself keeps the index of the write-ahead log in memory,
    // where others would make or change the -shm.
    const auto set = connection.execute("PRAGMA locking_mode=EXCLUSIVE; PRAGMA query_only=1");
    if (!set) {
      return set.error();
    }
  }
  return connection;
}

Result<Statement> Connection::prepare(std::string_view sql) {
  sqlite3_stmt* statement = nullptr;
  const int rc = sqlite3_prepare_v3(database_.get(), sql.data(), static_cast<int>(sql.size()),
                                    SQLITE_PREPARE_PERSISTENT, &statement, nullptr);
  if (rc != SQLITE_OK) {
    return make_error_code_from(rc);
  }
  return Statement(statement);
}

Result<void> Connection::execute(const std::string& sql) {
  const int rc = sqlite3_exec(database_.get(), sql.c_str(), nullptr, nullptr, nullptr);
  if (rc != SQLITE_OK) {
    return make_error_code_from(rc);
  }
  return {};
}

Result<std::int64_t> Connection::integer(std::string_view sql) {
  auto statement = prepare(sql);
  if (!statement) {
    return statement.error();
  }
  const auto row = statement->step();
  if (!row) {
    return row.error();
  }
  return *row ? statement->integer(0) : 0;
}

std::int64_t Connection::changes() const {
  return sqlite3_changes64(database_.get());
}

Result<Transaction> Transaction::begin(Connection& connection, Kind kind) {
  const auto begun = connection.execute(kind == Kind::kRead ? "BEGIN" : "BEGIN IMMEDIATE");
  if (!begun) {
    return begun.error();
  }
  return Transaction(connection);
}

Transaction::Transaction(Transaction&& other) noexcept
    : connection_(std::exchange(other.connection_, nullptr)) {}

Transaction::~Transaction() {
  if (connection_ != nullptr) {
    // It can only fail where SQLite has rolled back by itself, after some errors.
    static_cast<void>(connection_->execute("ROLLBACK"));
  }
}

Result<void> Transaction::commit() {
  assert(connection_ != nullptr);
  const auto committed = connection_->execute("COMMIT");
  if (committed) {
    connection_ = nullptr;
  }
  return committed;
}

}  // namespace vrelo::base::sqlite
