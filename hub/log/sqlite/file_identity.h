// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>

namespace vrelo::log::sqlite {

// Which file a name leads to: while a file is open, no other has the same.
struct FileIdentity {
  ::dev_t device = 0;
  ::ino_t inode = 0;

  friend bool operator==(const FileIdentity&, const FileIdentity&) = default;
};

// Returns nullopt where the name leads to no file, or that cannot be found out.
//
// Cost: one system call, and nothing is opened: to close a descriptor of a file ends all locks that
// the process has on it, SQLite's too.
std::optional<FileIdentity> identify(const std::string& name);

}  // namespace vrelo::log::sqlite
