// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <type_traits>

#include <boost/system/error_code.hpp>
#include <boost/system/result.hpp>

namespace vrelo::base::sqlite {

// What an operation on a database returns: a T, or an error of the category "vrelo.sqlite". Its
// value is SQLite's primary result code, so that each one has a message; those that callers act on
// have a name.
template <typename T>
using Result = boost::system::result<T>;

enum class Errc {
  kBusy = 5,           // another connection holds a lock that this operation needs
  kReadOnly = 8,       // the file, or its folder, may not be written
  kIo = 10,            // the disk failed; after a failed sync, what the file holds is not certain
  kDamaged = 11,       // the file contradicts itself
  kFull = 13,          // no room on the disk
  kCannotOpen = 14,    // no such file or folder, or no right to open it
  kNotADatabase = 26,  // the file is something else
};

boost::system::error_code make_error_code(Errc errc);

// Returns the error for any of SQLite's result codes but SQLITE_OK, SQLITE_ROW and SQLITE_DONE. An
// extended code becomes its primary one.
boost::system::error_code make_error_code_from(int result_code);

}  // namespace vrelo::base::sqlite

template <>
struct boost::system::is_error_code_enum<vrelo::base::sqlite::Errc> : std::true_type {};
