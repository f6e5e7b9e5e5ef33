// SPDX-License-Identifier: Apache-2.0
#include "cli/load/server_usage.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <filesystem>
#include <string>
#include <string_view>

#include <fmt/format.h>

#include "hub/base/descriptor.h"
#include "hub/base/last_error.h"

namespace vrelo::cli::load {
namespace {

using boost::system::error_code;

sse::client::Result<std::string> contents_of(const std::string& path) {
  const base::Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.get() < 0) {
    return base::last_error();
  }
  std::string text;
  std::array<char, 8192> buffer = {};
  for (;;) {
    const ssize_t count = ::read(file.get(), buffer.data(), buffer.size());
    if (count < 0) {
      return base::last_error();
    }
    if (count == 0) {
      return text;
    }
    text.append(buffer.data(), static_cast<std::size_t>(count));
  }
}

// Returns the number that `text` begins with, after spaces; 0: there is none.
std::uint64_t leading_number(std::string_view text) {
  std::uint64_t number = 0;
  text.remove_prefix(std::min(text.find_first_not_of(' '), text.size()));
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

// Returns the field `index` of a line whose fields have one space between them; "": there is none.
std::string_view field_of(std::string_view line, unsigned index) {
  for (; index > 0; --index) {
    const std::size_t space = line.find(' ');
    line.remove_prefix(space == std::string_view::npos ? line.size() : space + 1);
  }
  return line.substr(0, line.find(' '));
}

std::chrono::nanoseconds ticks(std::string_view text) {
  static const auto per_second = static_cast<std::uint64_t>(::sysconf(_SC_CLK_TCK));
  return std::chrono::nanoseconds(leading_number(text) * (1'000'000'000 / per_second));
}

// Time on a processor of a process's threads, as far as they are still there.
std::chrono::nanoseconds run_time_of(const std::string& folder) {
  std::uint64_t nanoseconds = 0;
  std::error_code error;
  for (std::filesystem::directory_iterator task(folder + "/task", error), end;
       !error && task != end; task.increment(error)) {
    if (const auto text = contents_of(task->path().string() + "/schedstat")) {
      nanoseconds += leading_number(*text);
    }
  }
  return std::chrono::nanoseconds(nanoseconds);
}

}  // namespace

sse::client::Result<ServerUsage> usage_of(std::span<const pid_t> processes, Memory memory) {
  ServerUsage usage;
  for (const pid_t process : processes) {
    const std::string folder = fmt::format("/proc/{}", process);
    const auto stat = contents_of(folder + "/stat");
    if (!stat) {
      return stat.error();
    }
    // The second field is the program's name in parentheses, and may hold anything.
    const std::string_view fields = std::string_view(*stat).substr(stat->rfind(')') + 2);
    constexpr unsigned kUserField = 11;  // utime is the 14th of all, and this begins at the third
    usage.user += ticks(field_of(fields, kUserField));
    usage.system += ticks(field_of(fields, kUserField + 1));
    usage.run += run_time_of(folder);
    if (memory == Memory::kYes) {
      constexpr std::string_view kName = "\nRss:";
      const auto text = contents_of(folder + "/smaps_rollup");
      if (!text) {
        return text.error();
      }
      if (const std::size_t at = text->find(kName); at != std::string::npos) {
        constexpr std::uint64_t kUnitBytes = 1024;
        usage.resident_bytes +=
            leading_number(std::string_view(*text).substr(at + kName.size())) * kUnitBytes;
      }
    }
  }
  return usage;
}

}  // namespace vrelo::cli::load
