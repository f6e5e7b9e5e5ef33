// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cerrno>

#include <boost/system/error_code.hpp>

namespace vrelo::base {

// Returns why the call to the system just before failed: errno.
inline boost::system::error_code last_error() {
  return {errno, boost::system::system_category()};
}

}  // namespace vrelo::base
