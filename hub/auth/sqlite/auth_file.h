// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "hub/base/sqlite/connection.h"
#include "hub/base/sqlite/errc.h"

namespace vrelo::auth::sqlite {

// Opens the file that has what is revoked, and tickets; it is made if it is not there. A commit is
// on the disk when it returns.
//
// Threads: as base::sqlite::Connection. Several connections may be open, also of two processes,
// while one takes the other's place.
// Errors: any of base::sqlite::Errc; kNotADatabase also for a file of something else.
base::sqlite::Result<base::sqlite::Connection> open_auth_file(const std::string& file);

// A file that is read at a start.
struct AuthFileToRead {
  base::sqlite::Connection connection;
  bool has_revocations = false;
  bool has_tickets = false;
};

// Opens a file that is there, for reading alone. That takes no room, so that a hub can start on a
// full disk; what an earlier version or a kill left undone waits for open_auth_file().
//
// Threads, Errors: as above.
base::sqlite::Result<AuthFileToRead> read_auth_file(const std::string& file);

// What the file is called that lies beside the log in `log_file`.
std::string auth_file_of(const std::string& log_file);

}  // namespace vrelo::auth::sqlite
