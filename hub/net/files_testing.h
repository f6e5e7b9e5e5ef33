// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cassert>

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

namespace vrelo::net {

// While it lives, the process can open nothing more.
class NoMoreFiles {
 public:
  NoMoreFiles() {
    [[maybe_unused]] int result = ::getrlimit(RLIMIT_NOFILE, &before_);
    assert(result == 0);
    // The lowest number that is free is the first that would be opened.
    const int next = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
    assert(next >= 0);
    ::close(next);
    rlimit none = before_;
    none.rlim_cur = static_cast<rlim_t>(next);
    result = ::setrlimit(RLIMIT_NOFILE, &none);
    assert(result == 0);
  }

  NoMoreFiles(const NoMoreFiles&) = delete;
  NoMoreFiles& operator=(const NoMoreFiles&) = delete;

  ~NoMoreFiles() { ::setrlimit(RLIMIT_NOFILE, &before_); }

 private:
  rlimit before_ = {};
};

}  // namespace vrelo::net
