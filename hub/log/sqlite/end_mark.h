// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <utility>

#include <boost/system/result.hpp>

#include "hub/base/descriptor.h"
#include "hub/log/log.h"

namespace vrelo::log::sqlite {

// How a log notices that what it had acknowledged is gone, where offsets that readers already know
// would be given out again: FILE-wal was removed, emptied, cut or damaged after a crash.
//
// FILE.end holds the log's end as it was at least: it is written after each commit and never
// synced. So it outlives the process but, where the machine goes down, may be older than the log;
// it is never newer, and a log that ends before it has lost something.

// Returns what FILE.end holds; nullopt if there is no such file or it holds anything else.
//
// Errors: those of the system: what cannot be read now is not taken to be absent.
boost::system::result<std::optional<Position>> read_end_mark(const std::string& file);

// Threads: one at a time.
class EndMark {
 public:
  // Opens FILE.end, or makes it. Errors: those of the system.
  static boost::system::result<EndMark> open(const std::string& file);

  // Writes `end`. Order: after the commit. What fails leaves the mark as it was, which is true too.
  void write(const Position& end) const;

 private:
  explicit EndMark(base::Descriptor file) : file_(std::move(file)) {}

  base::Descriptor file_;
};

}  // namespace vrelo::log::sqlite
