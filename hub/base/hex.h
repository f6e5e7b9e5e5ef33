// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace vrelo::base {

// Returns the value of a hexadecimal digit, of either case; -1: it is none.
constexpr int hex_value(char digit) {
  if (digit >= '0' && digit <= '9') {
    return digit - '0';
  }
  const char lower = static_cast<char>(digit | 0x20);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

}  // namespace vrelo::base
