// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "hub/auth/revocations.h"
#include "hub/base/setting_text.h"
#include "hub/base/sqlite/connection.h"
#include "hub/base/sqlite/errc.h"

namespace vrelo::auth::sqlite {

// What is revoked, in a file of its own, beside that of the log.
//
// Threads: one at a time. Two processes may have it open, while one takes the other's place.
class RevocationFile {
 public:
  // Opens the file, which is made if it is not there.
  // Errors: any of base::sqlite::Errc; kNotADatabase also for a file of something else.
  static base::sqlite::Result<RevocationFile> open(const std::string& file);

  // Returns what is in the file; nothing where there is none. Errors: as open().
  static base::sqlite::Result<std::vector<Revocation>> load(const std::string& file);

  // Returns once it is on the disk, and `over` is not. The same once more holds from its later
  // time.
  base::sqlite::Result<void> add(const Revocation& revocation,
                                 std::span<const Revocation> over = {});

 private:
  explicit RevocationFile(base::sqlite::Connection connection)
      : connection_(std::move(connection)) {}

  base::sqlite::Connection connection_;
};

// What is revoked, and what keeps more of it.
struct KeptRevocations {
  std::vector<Revocation> revocations = {};
  KeepRevocation keep = {};
};

// Returns what is kept beside the log in `log_file`, in a file with ".auth" behind its name, which
// the first revocation makes; "": nothing is kept anywhere.
//
// Errors: a message that begins with the file.
base::Parsed<KeptRevocations> keep_revocations(const std::string& log_file);

}  // namespace vrelo::auth::sqlite
