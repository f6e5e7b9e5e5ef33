// SPDX-License-Identifier: Apache-2.0
#include "hub/base/sqlite/errc.h"

#include <cassert>
#include <string>

#include <sqlite3.h>

namespace vrelo::base::sqlite {
namespace {

static_assert(static_cast<int>(Errc::kBusy) == SQLITE_BUSY);
static_assert(static_cast<int>(Errc::kReadOnly) == SQLITE_READONLY);
static_assert(static_cast<int>(Errc::kIo) == SQLITE_IOERR);
static_assert(static_cast<int>(Errc::kDamaged) == SQLITE_CORRUPT);
static_assert(static_cast<int>(Errc::kFull) == SQLITE_FULL);
static_assert(static_cast<int>(Errc::kCannotOpen) == SQLITE_CANTOPEN);
static_assert(static_cast<int>(Errc::kNotADatabase) == SQLITE_NOTADB);

class Category final : public boost::system::error_category {
 public:
  const char* name() const noexcept override { return "vrelo.sqlite"; }
  std::string message(int value) const override { return sqlite3_errstr(value); }
};

}  // namespace

boost::system::error_code make_error_code(Errc errc) {
  return make_error_code_from(static_cast<int>(errc));
}

boost::system::error_code make_error_code_from(int result_code) {
  constexpr int kPrimaryMask = 0xff;
  assert(result_code != SQLITE_OK && result_code != SQLITE_ROW && result_code != SQLITE_DONE);
  static const Category category;
  return {result_code & kPrimaryMask, category};
}

}  // namespace vrelo::base::sqlite
