// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include <boost/system/error_code.hpp>

namespace vrelo::log::sqlite {

// Says why `file` cannot be used as a log, to whoever named it: "a.db: the file is damaged". Where
// another process has it open, also which one, as far as the system tells.
std::string open_failure(const std::string& file, const boost::system::error_code& error);

}  // namespace vrelo::log::sqlite
