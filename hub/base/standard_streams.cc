// SPDX-License-Identifier: Apache-2.0
#include "hub/base/standard_streams.h"

#include <fcntl.h>
#include <unistd.h>

#include <cassert>
#include <cerrno>
#include <cstddef>

#include "hub/base/last_error.h"

namespace vrelo::base {
boost::system::error_code open_standard_streams() {
  for (const int stream : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (::fcntl(stream, F_GETFD) >= 0) {
      continue;
    }
    const int fd = ::open("/dev/null", O_RDWR);  // not O_CLOEXEC: children have streams as well
    if (fd < 0) {
      return last_error();
    }
    assert(fd == stream);  // the lowest one that is free
  }
  return {};
}

boost::system::error_code write_output(std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = ::write(STDOUT_FILENO, text.data(), text.size());
    if (written >= 0) {
      text.remove_prefix(static_cast<std::size_t>(written));
    } else if (errno != EINTR) {
      return last_error();
    }
  }
  return {};
}

}  // namespace vrelo::base
