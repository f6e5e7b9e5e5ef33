// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "hub/base/sqlite/connection.h"
#include "hub/log/siphash.h"
#include "hub/log/sqlite/file_identity.h"

namespace vrelo::log::sqlite {

// What the log knows of itself: the one row of its table `state`.
struct State {
  std::uint64_t epoch = 0;
  std::uint64_t guard = 0;  // see epoch_guard.h
  HashKey hash_key = {};

  // Rows up to `begin` may still be there: a row is erased once it is removed and indexed.
  std::uint64_t begin = 0;       // the offset of the newest record that was removed
  std::uint64_t indexed_to = 0;  // what is after it has no index in the file

  // record_bytes() of all records up to there, since the log was made.
  std::uint64_t begin_bytes = 0;
  std::uint64_t indexed_bytes = 0;
};

// What a record counts in the limits and figures in bytes: the event as it is written, and for its
// row and its entries in the index what they take on average.
inline constexpr std::uint64_t kRecordBytes = 64;
constexpr std::uint64_t record_bytes(std::size_t event_bytes) {
  return event_bytes + kRecordBytes;
}

// What FILE says it is, and how what is in it is laid out.
inline constexpr std::int64_t kApplicationId = 0x76726c6f;  // "vrlo"
inline constexpr std::int64_t kSchemaVersion = 2;

// Where the file is.
struct Location {
  std::string file;
  std::string vfs = {};
  std::optional<FileIdentity> identity = {};  // of the one file that may be there; nullopt: any
};

// Told of the steps of a start by their names; may be empty.
using AtStep = std::function<void(std::string_view)>;

// A file that is ready for use.
struct Prepared {
  HashKey hash_key = {};

  // The guard that this start could not write because the disk is full. Before anything else is
  // written, renew_guard() must have succeeded with it.
  std::optional<std::uint64_t> guard_to_write = {};

  // Why a new epoch has begun, for the operator. "": none has, or the log is new.
  std::string_view new_epoch = {};
};

// Prepares the file for use by the process that holds its lock: looks at it, makes it if there is
// none, compares it with what end_mark.h tells, and takes the steps of epoch_guard.h. `at_step` is
// told before the first and after each of them.
//
// Errors: any of OpenErrc, and the file is as it was; any of base::sqlite::Errc, kFull only where a
// new epoch has to begin, which must be in the file before a reader knows it; those of the system.
boost::system::result<Prepared> prepare(const Location& location, const AtStep& at_step);

// Takes the steps of epoch_guard.h, those that were not yet taken with this guard, in a file that
// was not put back from a backup.
//
// Errors: any of base::sqlite::Errc, kFull also for what is beside the file; those of the system.
// Some of the steps may have been taken then, and the next call goes on.
boost::system::result<void> renew_guard(base::sqlite::Connection& connection,
                                        const std::string& file,
                                        std::uint64_t guard,
                                        const AtStep& at_step);

// Opens the connection that writes: WAL, each commit synced, no checkpoint but those asked for. The
// file must exist. Errors: kCannotOpen also where it is another one than it may be.
base::sqlite::Result<base::sqlite::Connection> open_writer(const Location& location);

// Opens a connection that reads. Errors: as open_writer().
base::sqlite::Result<base::sqlite::Connection> open_reader(const Location& location);

// Errors: kDamaged if there is none.
base::sqlite::Result<State> read_state(base::sqlite::Connection& connection);

// Returns the offset of the newest record there ever was.
base::sqlite::Result<std::uint64_t> read_end(base::sqlite::Connection& connection);

// Writes a new epoch into the file. Returns it.
base::sqlite::Result<std::uint64_t> begin_epoch(base::sqlite::Connection& connection);

// Writes a new epoch into the file of a log that is not in use. Errors: as prepare().
boost::system::result<void> write_new_epoch(const Location& location);

}  // namespace vrelo::log::sqlite
