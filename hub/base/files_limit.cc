// SPDX-License-Identifier: Apache-2.0
#include "hub/base/files_limit.h"

#include <sys/resource.h>

namespace vrelo::base {

std::size_t raise_files_max() {
  rlimit limit = {};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) {
    return 1024;
  }
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
  ::getrlimit(RLIMIT_NOFILE, &limit);
  return limit.rlim_cur;
}

}  // namespace vrelo::base
