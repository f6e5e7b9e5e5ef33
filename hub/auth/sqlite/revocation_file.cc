// SPDX-License-Identifier: Apache-2.0
#include "hub/auth/sqlite/revocation_file.h"

#include <filesystem>
#include <system_error>

namespace vrelo::auth::sqlite {
namespace {

namespace db = base::sqlite;

constexpr std::int64_t kApplicationId = 0x76726175;  // "vrau"
constexpr std::int64_t kVersion = 1;

// Milliseconds: what a token says of its time may have a fraction.
std::int64_t stored(NumericDate time) {
  return std::chrono::floor<std::chrono::milliseconds>(time).count();
}

// Returns whether the file is one of ours; a new one becomes one.
db::Result<void> prepare(db::Connection& connection) {
  auto transaction = db::Transaction::begin(connection, db::Transaction::Kind::kWrite);
  if (!transaction) {
    return transaction.error();
  }
  const auto id = connection.integer("PRAGMA application_id");
  const auto version = connection.integer("PRAGMA user_version");
  const auto tables = connection.integer("SELECT count(*) FROM sqlite_schema");
  if (!id || !version || !tables) {
    return !id ? id.error() : !version ? version.error() : tables.error();
  }
  if (*id == kApplicationId && *version == kVersion) {
    return {};
  }
  if (*id != 0 || *version != 0 || *tables != 0) {
    return db::Errc::kNotADatabase;  // not one of ours, or of a version that is not ours
  }
  const auto made = connection.execute(
      "PRAGMA application_id = " + std::to_string(kApplicationId) +
      "; PRAGMA user_version = " + std::to_string(kVersion) +
      "; CREATE TABLE revocations (issuer BLOB NOT NULL, kind INTEGER NOT NULL, name BLOB NOT NULL,"
      " at INTEGER NOT NULL, until INTEGER NOT NULL, PRIMARY KEY (issuer, kind, name)) WITHOUT "
      "ROWID, STRICT");
  return made ? transaction->commit() : made;
}

}  // namespace

db::Result<RevocationFile> RevocationFile::open(const std::string& file) {
  auto connection = db::Connection::open(file, {.access = db::ConnectionOptions::Access::kCreate});
  if (!connection) {
    return connection.error();
  }
  for (const char* const pragma : {"PRAGMA busy_timeout = 5000", "PRAGMA synchronous = FULL"}) {
    if (const auto done = connection->execute(pragma); !done) {
      return done.error();
    }
  }
  if (const auto prepared = prepare(*connection); !prepared) {
    return prepared.error();
  }
  return RevocationFile(*std::move(connection));
}

db::Result<std::vector<Revocation>> RevocationFile::load() {
  auto rows = connection_.prepare("SELECT issuer, kind, name, at, until FROM revocations");
  if (!rows) {
    return rows.error();
  }
  std::vector<Revocation> all;
  for (;;) {
    const auto row = rows->step();
    if (!row) {
      return row.error();
    }
    if (!*row) {
      return all;
    }
    all.push_back({.issuer = std::string(rows->bytes(0)),
                   .kind = static_cast<Revocation::Kind>(rows->integer(1)),
                   .name = std::string(rows->bytes(2)),
                   .at = std::chrono::milliseconds(rows->integer(3)),
                   .until = std::chrono::milliseconds(rows->integer(4))});
  }
}

db::Result<void> RevocationFile::add(const Revocation& revocation) {
  auto over = connection_.prepare("DELETE FROM revocations WHERE until > 0 AND until < ?");
  auto row = connection_.prepare(
      "INSERT INTO revocations (issuer, kind, name, at, until) VALUES (?, ?, ?, ?, ?)"
      " ON CONFLICT DO UPDATE SET at = excluded.at, until = excluded.until WHERE at < excluded.at");
  if (!over || !row) {
    return over ? row.error() : over.error();
  }
  if (const auto removed = over->bind(1, stored(revocation.at)).run(); !removed) {
    return removed;
  }
  return row->bind_blob(1, revocation.issuer)
      .bind(2, static_cast<std::int64_t>(revocation.kind))
      .bind_blob(3, revocation.name)
      .bind(4, stored(revocation.at))
      .bind(5, stored(revocation.until))
      .run();
}

base::Parsed<KeptRevocations> keep_revocations(const std::string& log_file) {
  KeptRevocations kept;
  if (log_file.empty()) {
    return kept;
  }
  const std::string file = log_file + ".auth";
  kept.keep = [file](const Revocation& revocation) -> db::Result<void> {
    auto opened = RevocationFile::open(file);
    return opened ? opened->add(revocation) : opened.error();
  };
  if (std::error_code error; std::filesystem::exists(file, error)) {
    auto opened = RevocationFile::open(file);
    auto loaded = opened ? opened->load() : opened.error();
    if (!loaded) {
      return base::Fault{file + ": " + loaded.error().message()};
    }
    kept.revocations = *std::move(loaded);
  }
  return kept;
}

}  // namespace vrelo::auth::sqlite
