// SPDX-License-Identifier: Apache-2.0
#include "hub/log/sqlite/file_identity.h"

#include <sys/stat.h>

namespace vrelo::log::sqlite {

std::optional<FileIdentity> identify(const std::string& name) {
  struct stat info {};
  if (::stat(name.c_str(), &info) != 0) {
    return std::nullopt;
  }
  return FileIdentity{.device = info.st_dev, .inode = info.st_ino};
}

}  // namespace vrelo::log::sqlite
