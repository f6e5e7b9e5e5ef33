// SPDX-License-Identifier: Apache-2.0
#include "hub/log/sqlite/epoch_guard.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string_view>

#include <fmt/format.h>

namespace vrelo::log::sqlite {
namespace {

constexpr std::size_t kDigits = 16;
constexpr int kHex = 16;

boost::system::error_code system_error() {
  return {errno, boost::system::system_category()};
}

boost::system::result<void> write_synced(const std::string& path, std::string_view text) {
  const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (fd < 0) {
    return system_error();
  }
  boost::system::result<void> written;
  if (::write(fd, text.data(), text.size()) != static_cast<ssize_t>(text.size())) {
    written = boost::system::error_code(ENOSPC, boost::system::system_category());
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

std::vector<std::uint64_t> read_guards(const std::string& file) {
  std::ifstream in(file + ".epoch");
  std::vector<std::uint64_t> guards;
  for (std::string line; std::getline(in, line);) {
    std::uint64_t guard = 0;
    const char* const end = line.data() + line.size();
    const auto parsed = std::from_chars(line.data(), end, guard, kHex);
    if (line.size() != kDigits || parsed.ptr != end || parsed.ec != std::errc()) {
      return {};
    }
    guards.push_back(guard);
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
