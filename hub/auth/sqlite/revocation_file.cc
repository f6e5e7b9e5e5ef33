// SPDX-License-Identifier: Apache-2.0
#include "hub/auth/sqlite/revocation_file.h"

#include <filesystem>
#include <system_error>

#include "hub/auth/sqlite/auth_file.h"

namespace vrelo::auth::sqlite {
namespace {

namespace db = base::sqlite;

// Milliseconds: what a token says of its time may have a fraction. Rounded up, so that it covers as
// much as before.
std::int64_t stored(NumericDate time) {
  return std::chrono::ceil<std::chrono::milliseconds>(time).count();
}

}  // namespace

db::Result<RevocationFile> RevocationFile::open(const std::string& file) {
  auto connection = open_auth_file(file);
  if (!connection) {
    return connection.error();
  }
  return RevocationFile(*std::move(connection));
}

db::Result<std::vector<Revocation>> RevocationFile::load(const std::string& file) {
  std::vector<Revocation> all;
  if (std::error_code error; !std::filesystem::exists(file, error)) {
    return all;
  }
  auto opened = read_auth_file(file);
  if (!opened) {
    return opened.error();
  }
  if (!opened->has_revocations) {
    return all;
  }
  auto rows = opened->connection.prepare("SELECT issuer, kind, name, at, until FROM revocations");
  if (!rows) {
    return rows.error();
  }
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

db::Result<void> RevocationFile::add(const Revocation& revocation,
                                     std::span<const Revocation> over) {
  // Another process may have made it anew meanwhile.
  auto gone = connection_.prepare(
      "DELETE FROM revocations WHERE issuer = ? AND kind = ? AND name = ? AND until > 0"
      " AND until <= ?");
  auto row = connection_.prepare(
      "INSERT INTO revocations (issuer, kind, name, at, until) VALUES (?, ?, ?, ?, ?)"
      " ON CONFLICT DO UPDATE SET at = excluded.at, until = excluded.until WHERE at < excluded.at");
  if (!gone || !row) {
    return gone ? row.error() : gone.error();
  }
  for (const Revocation& one : over) {
    gone->bind_blob(1, one.issuer)
        .bind(2, static_cast<std::int64_t>(one.kind))
        .bind_blob(3, one.name)
        .bind(4, stored(one.until));
    if (const auto removed = gone->run(); !removed) {
      return removed;
    }
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
  const std::string file = auth_file_of(log_file);
  kept.keep = [file](const Revocation& revocation,
                     std::span<const Revocation> over) -> boost::system::result<void> {
    auto opened = RevocationFile::open(file);
    return opened ? opened->add(revocation, over) : opened.error();
  };
  auto loaded = RevocationFile::load(file);
  if (!loaded) {
    return base::Fault{file + ": " + loaded.error().message()};
  }
  kept.revocations = *std::move(loaded);
  return kept;
}

}  // namespace vrelo::auth::sqlite
