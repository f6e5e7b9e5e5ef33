// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include <boost/system/result.hpp>

namespace vrelo::log::sqlite {

// Holds FILE.lock for this process until destruction. The lock file stays behind: to remove it
// would let two processes each lock a file of that name.
//
// SQLite's own locks would not do: in exclusive mode it locks out the store's own readers, and
// without it a second hub would share the file.
class FileLock {
 public:
  // Errors: OpenErrc::kInUse, OpenErrc::kCannotOpen.
  static boost::system::result<FileLock> take(const std::string& file);

  FileLock(FileLock&& other) noexcept;
  FileLock& operator=(FileLock&&) = delete;
  ~FileLock();

 private:
  explicit FileLock(int fd) : fd_(fd) {}

  int fd_;  // -1: moved from
};

}  // namespace vrelo::log::sqlite
