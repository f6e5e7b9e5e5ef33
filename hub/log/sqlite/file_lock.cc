// SPDX-License-Identifier: Apache-2.0
#include "hub/log/sqlite/file_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "hub/log/sqlite/open_errc.h"

namespace vrelo::log::sqlite {

boost::system::result<FileLock> FileLock::take(const std::string& file) {
  const std::string path = file + ".lock";
  // A program that the hub starts must not hold the lock after the hub has ended: O_CLOEXEC.
  FileLock lock(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (lock.fd_ < 0) {
    return OpenErrc::kCannotOpen;
  }
  if (::flock(lock.fd_, LOCK_EX | LOCK_NB) != 0) {
    return errno == EWOULDBLOCK ? OpenErrc::kInUse : OpenErrc::kCannotOpen;
  }
  return lock;
}

FileLock::FileLock(FileLock&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}

FileLock::~FileLock() {
  if (fd_ >= 0) {
    ::close(fd_);
  }
}

}  // namespace vrelo::log::sqlite
