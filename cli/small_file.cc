// SPDX-License-Identifier: Apache-2.0
#include "cli/small_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>

#include <fmt/format.h>

#include "cli/printable.h"
#include "hub/base/descriptor.h"

namespace vrelo::cli {
namespace {

base::Fault fault(const std::string& path, int error) {
  const std::string name = path == "-" ? "standard input" : printable(path);
  return base::Fault{fmt::format("{}: {}", name, std::generic_category().message(error))};
}

}  // namespace

base::Parsed<std::string> read_small_file(const std::string& path, std::size_t bytes_max) {
  const bool is_input = path == "-";
  const base::Descriptor file(is_input ? -1 : ::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  const int fd = is_input ? STDIN_FILENO : file.get();
  if (fd < 0) {
    return fault(path, errno);
  }
  std::string text;
  while (text.size() <= bytes_max) {
    const std::size_t had = text.size();
    text.resize(std::min(bytes_max + 1, had + 4096));
    const ssize_t count = ::read(fd, text.data() + had, text.size() - had);
    text.resize(had + static_cast<std::size_t>(std::max<ssize_t>(count, 0)));
    if (count < 0 && errno != EINTR) {
      return fault(path, errno);
    }
    if (count == 0) {
      return base::parsed(std::move(text));
    }
  }
  return base::Fault{fmt::format("{} is longer than {} bytes",
                                 is_input ? "standard input" : printable(path), bytes_max)};
}

base::Parsed<void> make_small_file(const std::string& path,
                                   const std::string& text,
                                   Secrecy secrecy) {
  const mode_t mode = secrecy == Secrecy::kSecret ? 0600 : 0644;
  const base::Descriptor file(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode));
  if (file.get() < 0) {
    return fault(path, errno);
  }
  for (std::size_t at = 0; at < text.size();) {
    const ssize_t count = ::write(file.get(), text.data() + at, text.size() - at);
    if (count < 0 && errno != EINTR) {
      const base::Fault why = fault(path, errno);
      ::unlink(path.c_str());  // nothing half done stays
      return why;
    }
    at += static_cast<std::size_t>(std::max<ssize_t>(count, 0));
  }
  return {};
}

}  // namespace vrelo::cli
