// SPDX-License-Identifier: Apache-2.0
#include "hub/base/random.h"

#include <sys/random.h>

#include <cassert>

namespace vrelo::base {

std::uint64_t random_value() {
  std::uint64_t value = 0;
  const ssize_t size = ::getrandom(&value, sizeof(value), 0);
  assert(size == sizeof(value));  // fails for no request of up to 256 bytes
  return value;
}

}  // namespace vrelo::base
