// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/system/result.hpp>

#include "hub/log/sqlite/database.h"

namespace vrelo::log::sqlite {

// What a file is, for a process that wants to use it as its log.
enum class Found {
  kNothing,  // there is none, or it is empty, or a process was killed while it made it
  kLog,
};

// Finds out what the file is, and changes neither it nor anything beside it.
//
// A file of up to 64 MiB is read whole. Of a bigger one only its header, its tables, its state, the
// rows of its index's runs and the records at its ends are looked at, because to read it would hold
// up the start.
//
// Errors: any of OpenErrc but kInUse; any of base::sqlite::Errc.
boost::system::result<Found> examine(const Location& location);

// Returns what an error of SQLite's says about a file that should be a log.
boost::system::error_code why_not(boost::system::error_code error);

}  // namespace vrelo::log::sqlite
