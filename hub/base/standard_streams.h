// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include <boost/system/error_code.hpp>

namespace vrelo::base {

// Opens /dev/null as each of the descriptors 0, 1 and 2 that whoever started the process left
// closed. Otherwise the next file or socket to be opened would become one of them, and what the
// process prints would be written into it.
//
// Order: before anything else is opened. Threads: the only one.
// Errors: those of the system, after which nothing may be opened.
boost::system::error_code open_standard_streams();

// Writes all of `text` to the standard output, past the buffer of stdio.
//
// Errors: those of the system.
boost::system::error_code write_output(std::string_view text);

}  // namespace vrelo::base
