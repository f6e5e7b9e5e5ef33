// SPDX-License-Identifier: Apache-2.0
#include "hub/log/sqlite/examine.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <span>
#include <string_view>

#include "hub/log/sqlite/index_run.h"
#include "hub/log/sqlite/open_errc.h"
#include "hub/log/sqlite/record_codec.h"
#include "hub/log/sqlite/removed_topics.h"

namespace vrelo::log::sqlite {
namespace {

using base::sqlite::Connection;
using base::sqlite::Result;
using Access = base::sqlite::ConnectionOptions::Access;

// To check so much takes some 60 ms.
constexpr std::uint64_t kCheckedWholeBytesMax = std::uint64_t{64} << 20;

// What stands in the first 100 bytes of a database. Source: SQLite, "Database File Format", 1.3.
struct Header {
  bool is_database = false;
  std::uint64_t bytes = 0;  // that the file has at least; 0: not said
};

Header parse_header(std::span<const unsigned char> bytes) {
  constexpr std::string_view kMagic{"SQLite format 3\0", 16};
  const auto number = [&bytes](std::size_t at) {
    return std::uint32_t{bytes[at]} << 24 | std::uint32_t{bytes[at + 1]} << 16 |
           std::uint32_t{bytes[at + 2]} << 8 | std::uint32_t{bytes[at + 3]};
  };
  Header header;
  if (bytes.size() < 100 || std::memcmp(bytes.data(), kMagic.data(), kMagic.size()) != 0) {
    return header;
  }
  header.is_database = true;
  const std::uint64_t page_bytes =
      bytes[16] == 0 && bytes[17] == 1 ? 65536U : std::uint64_t{bytes[16]} << 8 | bytes[17];
  if (number(24) == number(92)) {
    header.bytes = page_bytes * number(28);
  }
  return header;
}

struct Outside {
  std::uint64_t bytes = 0;
  std::uint64_t wal_bytes = 0;
  Header header;
};

// Looks at the file without SQLite, which would finish or undo what it finds.
boost::system::result<Outside> look(const std::string& file) {
  Outside outside;
  struct stat info {};
  if (::stat((file + "-wal").c_str(), &info) == 0) {
    outside.wal_bytes = static_cast<std::uint64_t>(info.st_size);
  }
  const int fd = ::open(file.c_str(), O_RDWR | O_CLOEXEC);
  if (fd < 0) {
    if (errno == ENOENT) {
      return outside;
    }
    return OpenErrc::kCannotOpen;
  }
  std::array<unsigned char, 100> bytes{};
  const ssize_t size = ::pread(fd, bytes.data(), bytes.size(), 0);
  const bool known = ::fstat(fd, &info) == 0 && S_ISREG(info.st_mode);
  ::close(fd);
  if (size < 0 || !known) {
    return OpenErrc::kCannotOpen;
  }
  outside.bytes = static_cast<std::uint64_t>(info.st_size);
  outside.header = parse_header(std::span(bytes).first(static_cast<std::size_t>(size)));
  return outside;
}

boost::system::result<Found> check_version(std::int64_t application_id,
                                           std::int64_t schema_version,
                                           std::int64_t tables) {
  if (application_id == 0 && schema_version == 0 && tables == 0) {
    return Found::kNothing;
  }
  if (application_id != kApplicationId || schema_version < 1) {
    return OpenErrc::kNotALog;
  }
  if (schema_version < kSchemaVersion) {
    return OpenErrc::kOlder;
  }
  if (schema_version > kSchemaVersion) {
    return OpenErrc::kNewer;
  }
  return Found::kLog;
}

// The records at both ends must be events.
Result<void> check_ends(Connection& connection) {
  auto ends = connection.prepare(
      "SELECT event FROM records WHERE offset IN"
      " ((SELECT min(offset) FROM records), (SELECT max(offset) FROM records))");
  if (!ends) {
    return ends.error();
  }
  while (true) {
    const auto row = ends->step();
    if (!row) {
      return row.error();
    }
    if (!*row) {
      return {};
    }
    if (!decode_event(ends->bytes(0))) {
      return base::sqlite::Errc::kDamaged;
    }
  }
}

Result<void> check_whole(Connection& connection) {
  auto check = connection.prepare("PRAGMA quick_check(1)");
  if (!check) {
    return check.error();
  }
  const auto row = check->step();
  if (!row) {
    return row.error();
  }
  if (!*row || check->bytes(0) != "ok") {
    return base::sqlite::Errc::kDamaged;
  }
  return {};
}

// Looks at what a log must have.
Result<void> check_log(Connection& connection, std::uint64_t file_bytes) {
  const auto tables = connection.integer(
      "SELECT count(*) FROM sqlite_schema"
      " WHERE name IN ('state', 'records', 'runs', 'blocks', 'removed')");
  if (!tables) {
    return tables.error();
  }
  if (*tables != 5) {
    return base::sqlite::Errc::kDamaged;
  }
  const auto state = read_state(connection);
  if (!state) {
    return state.error();
  }
  if (const auto runs = read_runs(connection, *state); !runs) {
    return runs.error();
  }
  if (const auto removed = read_removed_topics(connection); !removed) {
    return removed.error();
  }
  if (auto checked = check_ends(connection); !checked) {
    return checked;
  }
  return file_bytes <= kCheckedWholeBytesMax ? check_whole(connection) : Result<void>();
}

boost::system::result<Found> examine(const Location& location, Access access, std::uint64_t bytes) {
  auto connection = Connection::open(location.file, {.access = access, .vfs = location.vfs});
  if (!connection) {
    return connection.error();
  }
  const auto application_id = connection->integer("PRAGMA application_id");
  const auto schema_version = connection->integer("PRAGMA user_version");
  const auto tables = connection->integer("SELECT count(*) FROM sqlite_schema");
  for (const auto* const read : {&application_id, &schema_version, &tables}) {
    if (!*read) {
      return read->error();
    }
  }
  const auto found = check_version(*application_id, *schema_version, *tables);
  if (!found || *found == Found::kNothing) {
    return found;
  }
  if (const auto checked = check_log(*connection, bytes); !checked) {
    return checked.error();
  }
  return found;
}

}  // namespace

boost::system::error_code why_not(boost::system::error_code error) {
  using base::sqlite::Errc;
  if (error == Errc::kNotADatabase) {
    return OpenErrc::kNotALog;
  }
  if (error == Errc::kDamaged) {
    return OpenErrc::kDamaged;
  }
  if (error == Errc::kCannotOpen || error == Errc::kReadOnly) {
    return OpenErrc::kCannotOpen;
  }
  return error;
}

boost::system::result<Found> examine(const Location& location) {
  const auto outside = look(location.file);
  if (!outside) {
    return outside.error();
  }
  if (outside->bytes == 0) {
    // SQLite would throw away a write-ahead log whose file is gone, and with it what can still be
    // saved.
    return outside->wal_bytes == 0 ? boost::system::result<Found>(Found::kNothing)
                                   : OpenErrc::kWalAlone;
  }
  if (!outside->header.is_database) {
    return OpenErrc::kNotALog;
  }
  // With a write-ahead log the file alone is not all there is.
  const bool alone = outside->wal_bytes == 0;
  if (alone && outside->header.bytes > outside->bytes) {
    return OpenErrc::kDamaged;
  }
  auto found = examine(location, alone ? Access::kExamine : Access::kExamineAll, outside->bytes);
  if (!found && found.error() == base::sqlite::Errc::kBusy) {
    // Somebody looks into the log with SQLite's shell, so that the -shm is there already.
    found = examine(location, Access::kRead, outside->bytes);
  }
  if (!found) {
    return why_not(found.error());
  }
  return found;
}

}  // namespace vrelo::log::sqlite
