// SPDX-License-Identifier: Apache-2.0
#include "hub/log/sqlite/epoch_guard.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <filesystem>
#include <string_view>

#include <fmt/format.h>

#include "hub/base/sqlite/errc.h"

namespace vrelo::log::sqlite {
namespace {

constexpr std::size_t kGuardDigits = 16;

boost::system::error_code error_of(int number) {
  if (number == ENOSPC || number == EDQUOT) {
    return base::sqlite::Errc::kFull;
  }
  return {number, boost::system::system_category()};
}

boost::system::error_code system_error() {
  return error_of(errno);
}

// Returns the beginning of a file, which is all that matters of it; "" if there is no such file.
boost::system::result<std::string> read_text(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) {
    return errno == ENOENT ? boost::system::result<std::string>(std::string()) : system_error();
  }
  std::array<char, 256> bytes{};
  const ssize_t size = ::read(fd, bytes.data(), bytes.size());
  const boost::system::error_code error = system_error();
  ::close(fd);
  if (size < 0) {
    return error;
  }
  return std::string(bytes.data(), static_cast<std::size_t>(size));
}

boost::system::result<void> write_synced(const std::string& path, std::string_view text) {
  const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (fd < 0) {
    return system_error();
  }
  boost::system::result<void> written;
  const ssize_t size = ::write(fd, text.data(), text.size());
  if (size != static_cast<ssize_t>(text.size())) {
    written = error_of(size < 0 ? errno : ENOSPC);
  } else if (::fsync(fd) != 0) {
    written = system_error();
  }
  ::close(fd);
  return written;
}

boost::system::result<void> sync_folder_of(const std::string& file) {
  std::filesystem::path folder = std::filesystem::path(file).parent_path();
  if (folder.empty()) {
    folder = ".";
  }
  const int fd = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) {
    return system_error();
  }
  boost::system::result<void> synced;
  if (::fsync(fd) != 0) {
    synced = system_error();
  }
  ::close(fd);
  return synced;
}

}  // namespace

boost::system::result<std::vector<std::uint64_t>> read_guards(const std::string& file) {
  const auto text = read_text(file + ".epoch");
  if (!text) {
    return text.error();
  }
  std::vector<std::uint64_t> guards;
  std::string_view rest = *text;
  while (!rest.empty()) {
    std::uint64_t guard = 0;
    const char* const end = rest.data() + std::min(rest.size(), kGuardDigits);
    const auto parsed = std::from_chars(rest.data(), end, guard, 16);
    if (rest.size() <= kGuardDigits || rest[kGuardDigits] != '\n' || parsed.ptr != end ||
        parsed.ec != std::errc()) {
      return std::vector<std::uint64_t>();
    }
    guards.push_back(guard);
    rest.remove_prefix(kGuardDigits + 1);
  }
  return guards;
}

boost::system::result<void> write_guards(const std::string& file,
                                         std::span<const std::uint64_t> guards) {
  std::string text;
  for (const std::uint64_t guard : guards) {
    text += fmt::format("{:016x}\n", guard);
  }
  const std::string path = file + ".epoch";
  const std::string next = path + ".new";
  if (auto written = write_synced(next, text); !written) {
    return written;
  }
  if (std::rename(next.c_str(), path.c_str()) != 0) {
    return system_error();
  }
  return sync_folder_of(path);
}

}  // namespace vrelo::log::sqlite
