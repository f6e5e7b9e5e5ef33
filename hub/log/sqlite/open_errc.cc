// SPDX-License-Identifier: Apache-2.0
#include "hub/log/sqlite/open_errc.h"

#include <string>

namespace vrelo::log::sqlite {
namespace {

class Category final : public boost::system::error_category {
 public:
  const char* name() const noexcept override { return "vrelo.log.sqlite"; }

  std::string message(int value) const override {
    switch (static_cast<OpenErrc>(value)) {
      case OpenErrc::kInUse:
        return "another process has this log open";
      case OpenErrc::kNotALog:
        return "the file is not a log of vrelo's";
      case OpenErrc::kDamaged:
        return "the file is damaged, or the -wal beside it belongs to another: put back a backup"
               " without a -wal, or move both away to begin a new log";
      case OpenErrc::kWalAlone:
        return "the file is gone, but its -wal is there: put back the file that was beside it, or"
               " move the -wal away to begin a new log";
      case OpenErrc::kNewer:
        return "the file was written by a newer vrelo: use that version or a later one";
      case OpenErrc::kOlder:
        return "the file was written by an older vrelo: use that version, or move the file away to"
               " begin a new log";
      case OpenErrc::kCannotOpen:
        return "the file or its folder cannot be opened for reading and writing";
    }
    return "unknown error " + std::to_string(value);
  }
};

}  // namespace

boost::system::error_code make_error_code(OpenErrc errc) {
  static const Category category;
  return {static_cast<int>(errc), category};
}

}  // namespace vrelo::log::sqlite
