// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include <boost/system/result.hpp>

namespace vrelo::log::sqlite {

// How a log notices that its file was put back from a backup, where offsets that readers already
// know would be given out again.
//
// A start writes a new random value, the guard, into the file and beside it, into FILE.epoch: first
// the old and the new one beside it, then the new one into the file, then the new one alone beside
// it. Each step is on disk before the next one begins, so that after a kill between any two of them
// the file holds a value that stands beside it. A file that holds none of them was not written by
// the last start: it is older, and a new epoch begins. So does one with nothing beside it, which
// was copied from elsewhere.
//
// A start on a full disk may leave the steps for later. Until they are taken nothing else is
// written into the file, so that no offset is given out that a file from before could repeat.

// Returns the values in FILE.epoch; none if there is no such file or it holds anything else.
//
// Errors: those of the system: what cannot be read now is not taken to be absent.
boost::system::result<std::vector<std::uint64_t>> read_guards(const std::string& file);

// Replaces FILE.epoch at once: after a crash it has either the values of before or these.
//
// Errors: base::sqlite::Errc::kFull where there is no room; those of the system.
boost::system::result<void> write_guards(const std::string& file,
                                         std::span<const std::uint64_t> guards);

}  // namespace vrelo::log::sqlite
