// SPDX-License-Identifier: Apache-2.0
#include "hub/log/sqlite/examine.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <span>
#include <string>

#include "hub/base/sqlite/connection.h"
#include "hub/log/sqlite/open_errc.h"
#include "hub/log/sqlite/record_codec.h"

namespace vrelo::log::sqlite {
namespace {

using base::sqlite::Connection;
using base::sqlite::ConnectionOptions;
using base::sqlite::Result;

// Up to this size a file is checked whole at start; that takes some 60 ms. A bigger one would hold
// up the start, so only its header, its state and its ends are looked at.
constexpr std::uint64_t kCheckedWholeBytesMax = std::uint64_t{64} << 20;

// What stands in the first 100 bytes of a database. Source: SQLite, "Database File Format", 1.3.
struct Header {
  bool is_database = false;
  std::int64_t schema_version = 0;
  std::int64_t application_id = 0;
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
  header.schema_version = number(60);
  header.application_id = number(68);
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
    return Found::kNothing;  // a process was killed while it made the log
  }
  if (application_id != kApplicationId || schema_version < kSchemaVersion) {
    return OpenErrc::kNotALog;
  }
  if (schema_version > kSchemaVersion) {
    return OpenErrc::kNewer;
  }
  return Found::kLog;
}

// Looks at what a log must have: its tables, its state, and records at its ends that can be read.
Result<void> check_whole(Connection& connection, std::uint64_t file_bytes) {
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
      break;
    }
    if (!decode_event(ends->bytes(0))) {
      return base::sqlite::Errc::kDamaged;
    }
  }
  if (file_bytes > kCheckedWholeBytesMax) {
    return {};
  }
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
    return Found::kNothing;
  }
  const Header& header = outside->header;
  if (!header.is_database) {
    return OpenErrc::kNotALog;
  }
  // With a write-ahead log the file alone is not all there is.
  const bool alone = outside->wal_bytes == 0;
  if (alone && header.bytes > outside->bytes) {
    return OpenErrc::kDamaged;
  }
  using Access = ConnectionOptions::Access;
  auto connection = Connection::open(
      location.file, {.access = alone ? Access::kExamine : Access::kRead, .vfs = location.vfs});
  if (!connection) {
    return why_not(connection.error());
  }
  const auto application_id = connection->integer("PRAGMA application_id");
  const auto schema_version = connection->integer("PRAGMA user_version");
  const auto tables = connection->integer("SELECT count(*) FROM sqlite_schema");
  for (const auto* const read : {&application_id, &schema_version, &tables}) {
    if (!*read) {
      return why_not(read->error());
    }
  }
  const auto found = check_version(*application_id, *schema_version, *tables);
  if (!found || *found == Found::kNothing) {
    return found;
  }
  if (const auto whole = check_whole(*connection, outside->bytes); !whole) {
    return why_not(whole.error());
  }
  return found;
}

}  // namespace vrelo::log::sqlite
