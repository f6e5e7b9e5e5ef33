// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace vrelo::log {

// The key of a log's hashes, drawn at random when the log was made: a publisher who does not know
// it cannot name topics that all fall together.
using HashKey = std::array<std::uint64_t, 2>;

// A hash of 64 bits that is the same in every build, because it is written to disk.
//
// Source: SipHash-2-4, Aumasson and Bernstein 2012.
std::uint64_t siphash(const HashKey& key, std::string_view text);

}  // namespace vrelo::log
