// SPDX-License-Identifier: Apache-2.0
#include "hub/log/sqlite/open_failure.h"

#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <fstream>
#include <optional>
#include <sstream>

#include <fmt/format.h>

#include "hub/log/sqlite/open_errc.h"

namespace vrelo::log::sqlite {
namespace {

// Returns who holds FILE.lock; nullopt: nobody, or it cannot be seen from here, as from another
// container. Source: proc_locks(5).
std::optional<pid_t> holder_of(const std::string& file) {
  struct stat lock = {};
  if (::stat((file + ".lock").c_str(), &lock) != 0) {
    return std::nullopt;
  }
  const std::string wanted =
      fmt::format("{:02x}:{:02x}:{}", major(lock.st_dev), minor(lock.st_dev), lock.st_ino);
  std::ifstream locks("/proc/locks");
  for (std::string line; std::getline(locks, line);) {
    std::istringstream words(line);
    std::string number;
    std::string kind;  // "->" where somebody only waits
    std::string strength;
    std::string mode;
    std::string place;
    pid_t pid = 0;
    if (words >> number >> kind >> strength >> mode >> pid >> place && kind == "FLOCK" &&
        place == wanted && pid > 0) {
      return pid;
    }
  }
  return std::nullopt;
}

}  // namespace

std::string open_failure(const std::string& file, const boost::system::error_code& error) {
  if (error != OpenErrc::kInUse) {
    return fmt::format("{}: {}", file, error.message());
  }
  const auto holder = holder_of(file);
  return fmt::format("{}: {}{}; end that one, or name another file", file, error.message(),
                     holder ? fmt::format(" (process {})", *holder) : "");
}

}  // namespace vrelo::log::sqlite
