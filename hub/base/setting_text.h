// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include <boost/asio/ip/tcp.hpp>
#include <boost/system/result.hpp>

namespace vrelo::base {

// How the values of settings are written: the same in flags, environment and file, in --help, and
// in the log. What format_x() returns, parse_x() reads as the same value.

// Why something that a person wrote was refused, as a sentence, or the half of one that follows
// what was written: "is not a size".
struct Fault {
  std::string message;

  friend bool operator==(const Fault&, const Fault&) = default;
};

template <typename T>
using Parsed = boost::system::result<T, Fault>;

// A text that was read. (A Fault can be made of a text too, so that the compiler needs to be told.)
inline Parsed<std::string> parsed(std::string text) {
  return Parsed<std::string>(boost::system::in_place_value, std::move(text));
}

// "64 MiB", "64MiB", "1 GB", "4096" (bytes). KiB, MiB, GiB and TiB are powers of 1024; kB, MB, GB
// and TB of 1000. Case does not matter.
Parsed<std::uint64_t> parse_bytes(std::string_view text);
std::string format_bytes(
    std::uint64_t bytes);  // in the largest power of 1024 that leaves no fraction

// "15s", "15 s", "500ms", "5min", "24h", "7d", "15" (seconds).
Parsed<std::chrono::milliseconds> parse_duration(std::string_view text);
std::string format_duration(std::chrono::milliseconds duration);

// Decimal digits.
Parsed<std::uint64_t> parse_count(std::string_view text);

// "true" or "false".
Parsed<bool> parse_switch(std::string_view text);

// "127.0.0.1:3000", "[::1]:3000", "localhost:3000" (the same as 127.0.0.1). Other names are not
// looked up: which of a name's addresses would it be? Port 0 lets the system choose one.
Parsed<boost::asio::ip::tcp::endpoint> parse_endpoint(std::string_view text);
std::string format_endpoint(const boost::asio::ip::tcp::endpoint& endpoint);

}  // namespace vrelo::base
