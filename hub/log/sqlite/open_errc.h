// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <type_traits>

#include <boost/system/error_code.hpp>

namespace vrelo::log::sqlite {

// Why a file cannot be used as a log. The file is left as it was.
enum class OpenErrc {
  kInUse = 1,   // another process has it open
  kNotALog,     // it is something else than a log of vrelo's
  kDamaged,     // it contradicts itself, or a part of it is missing
  kWalAlone,    // its write-ahead log is there, but the file is not, or is empty
  kNewer,       // a later vrelo wrote it, in a way that this one does not know
  kOlder,       // so did an earlier one
  kCannotOpen,  // no such folder, or no right to read and write the file and its folder
};

boost::system::error_code make_error_code(OpenErrc errc);

}  // namespace vrelo::log::sqlite

template <>
struct boost::system::is_error_code_enum<vrelo::log::sqlite::OpenErrc> : std::true_type {};
