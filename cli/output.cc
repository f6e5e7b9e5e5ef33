// SPDX-License-Identifier: Apache-2.0
#include "cli/output.h"

#include <limits.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>

#include "hub/base/last_error.h"

namespace vrelo::cli {
namespace {

using boost::system::error_code;

}  // namespace

error_code FileOutput::write(std::string_view text) {
  while (!text.empty()) {
    if (const error_code error = wait_until_writable()) {
      return error;
    }
    // A pipe that is writable has room for this much, so that write() does not block, and a signal
    // is seen in wait_until_writable().
    const ssize_t written = ::write(fd_, text.data(), std::min<std::size_t>(text.size(), PIPE_BUF));
    if (written >= 0) {
      text.remove_prefix(static_cast<std::size_t>(written));
    } else if (errno != EINTR && errno != EAGAIN) {
      return base::last_error();
    }
  }
  return {};
}

bool FileOutput::is_abandoned() {
  pollfd state{.fd = fd_, .events = 0, .revents = 0};
  return ::poll(&state, 1, 0) == 1 && (state.revents & (POLLERR | POLLHUP)) != 0;
}

error_code FileOutput::wait_until_writable() {
  std::array<pollfd, 2> states{pollfd{.fd = fd_, .events = POLLOUT, .revents = 0},
                               pollfd{.fd = signal_fd_, .events = POLLIN, .revents = 0}};
  while (::poll(states.data(), states.size(), -1) < 0) {
    if (errno != EINTR) {
      return base::last_error();
    }
  }
  // What a command has to say is said, signal or not, where nobody has to be waited for.
  if (states[0].revents == 0) {
    return make_error_code(boost::system::errc::operation_canceled);
  }
  return {};
}

Look look_of(int fd, std::string_view no_color, std::string_view term) {
  const bool is_terminal = ::isatty(fd) == 1;
  return {.is_terminal = is_terminal,
          .has_colours = is_terminal && no_color.empty() && term != "dumb"};
}

}  // namespace vrelo::cli
