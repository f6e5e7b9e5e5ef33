// SPDX-License-Identifier: Apache-2.0
#include "hub/auth/sqlite/auth_file.h"

#include <cstdint>

#include <fmt/format.h>

namespace vrelo::auth::sqlite {
namespace {

namespace db = base::sqlite;

constexpr std::int64_t kApplicationId = 0x76726175;  // "vrau"
constexpr std::int64_t kVersion = 2;                 // 1 had no tickets

constexpr std::string_view kRevocations =
    "CREATE TABLE revocations (issuer BLOB NOT NULL, kind INTEGER NOT NULL, name BLOB NOT NULL,"
    " at INTEGER NOT NULL, until INTEGER NOT NULL, PRIMARY KEY (issuer, kind, name)) WITHOUT ROWID,"
    " STRICT;";

// A ticket that is used has a session: secret to given. Times are milliseconds by the store's
// clock, of which the newest is in last.
constexpr std::string_view kTickets =
    "CREATE TABLE tickets (hash BLOB PRIMARY KEY, query BLOB NOT NULL, session BLOB NOT NULL,"
    " label BLOB NOT NULL, terms BLOB NOT NULL, key_print BLOB NOT NULL,"
    " minted_at INTEGER NOT NULL, epoch INTEGER NOT NULL, ticket_end INTEGER NOT NULL,"
    " token_end INTEGER, secret BLOB, first_request BLOB, grace_end INTEGER, session_end INTEGER,"
    " presented INTEGER, given INTEGER) STRICT;"
    "CREATE TABLE last (id INTEGER PRIMARY KEY CHECK (id = 1), at INTEGER NOT NULL) STRICT;";

constexpr const char* kPatience = "PRAGMA busy_timeout = 5000";

enum class Found { kNew, kWithoutTickets, kComplete };

// Errors: kNotADatabase for what is none of ours, or of a version that is not ours.
db::Result<Found> examine(db::Connection& connection) {
  const auto id = connection.integer("PRAGMA application_id");
  const auto version = connection.integer("PRAGMA user_version");
  const auto tables = connection.integer("SELECT count(*) FROM sqlite_schema");
  if (!id || !version || !tables) {
    return !id ? id.error() : !version ? version.error() : tables.error();
  }
  if (*id == 0 && *version == 0 && *tables == 0) {
    return Found::kNew;
  }
  if (*id != kApplicationId || *version < 1 || *version > kVersion) {
    return db::Errc::kNotADatabase;
  }
  return *version == kVersion ? Found::kComplete : Found::kWithoutTickets;
}

// Makes the file what it has to be.
db::Result<void> prepare(db::Connection& connection) {
  auto transaction = db::Transaction::begin(connection, db::Transaction::Kind::kWrite);
  if (!transaction) {
    return transaction.error();
  }
  const auto found = examine(connection);
  if (!found) {
    return found.error();
  }
  if (*found == Found::kComplete) {
    return {};
  }
  const auto made = connection.execute(
      fmt::format("PRAGMA application_id = {}; PRAGMA user_version = {}; {}{}", kApplicationId,
                  kVersion, *found == Found::kNew ? kRevocations : "", kTickets));
  return made ? transaction->commit() : made;
}

db::Result<AuthFileToRead> open_as(const std::string& file, db::ConnectionOptions::Access access) {
  auto connection = db::Connection::open(file, {.access = access});
  if (!connection) {
    return connection.error();
  }
  const bool waits = access == db::ConnectionOptions::Access::kRead;
  if (const auto done = connection->execute(waits ? kPatience : ""); !done) {
    return done.error();
  }
  const auto found = examine(*connection);
  if (!found) {
    return found.error();
  }
  return AuthFileToRead{.connection = *std::move(connection),
                        .has_revocations = *found != Found::kNew,
                        .has_tickets = *found == Found::kComplete};
}

}  // namespace

db::Result<db::Connection> open_auth_file(const std::string& file) {
  auto connection = db::Connection::open(file, {.access = db::ConnectionOptions::Access::kCreate});
  if (!connection) {
    return connection.error();
  }
  for (const char* const pragma : {kPatience, "PRAGMA synchronous = FULL"}) {
    if (const auto done = connection->execute(pragma); !done) {
      return done.error();
    }
  }
  if (const auto prepared = prepare(*connection); !prepared) {
    return prepared.error();
  }
  // With a write-ahead log a commit is one sync.
  if (const auto done = connection->execute("PRAGMA journal_mode = WAL"); !done) {
    return done.error();
  }
  return connection;
}

db::Result<AuthFileToRead> read_auth_file(const std::string& file) {
  auto opened = open_as(file, db::ConnectionOptions::Access::kExamineAll);
  if (!opened && opened.error() == db::Errc::kBusy) {
    // The process whose place this one takes has it open, so that the -shm is there already.
    opened = open_as(file, db::ConnectionOptions::Access::kRead);
  }
  return opened;
}

std::string auth_file_of(const std::string& log_file) {
  return log_file + ".auth";
}

}  // namespace vrelo::auth::sqlite
