// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace vrelo::log::sqlite {

// Appends `value` as LEB128, no longer than needed: 7 bits a byte, the lowest first.
inline void put_varint(std::uint64_t value, std::string& out) {
  constexpr unsigned kMore = 0x80;
  while (value >= kMore) {
    out += static_cast<char>(value | kMore);
    value >>= 7;
  }
  out += static_cast<char>(value);
}

// Returns how many bytes put_varint() appends.
constexpr std::size_t varint_bytes(std::uint64_t value) {
  std::size_t bytes = 1;
  while (value >= 0x80) {
    value >>= 7;
    ++bytes;
  }
  return bytes;
}

// Takes a value from the front of `bytes`; nullopt for what put_varint() does not write.
inline std::optional<std::uint64_t> take_varint(std::string_view& bytes) {
  std::uint64_t value = 0;
  for (std::size_t at = 0; at < bytes.size(); ++at) {
    const auto byte = static_cast<unsigned char>(bytes[at]);
    const std::uint64_t bits = byte & 0x7fU;
    const std::size_t shift = at * 7;
    if (shift >= 64 || (bits << shift) >> shift != bits) {
      return std::nullopt;  // beyond 64 bits
    }
    value |= bits << shift;
    if (byte < 0x80) {
      if (byte == 0 && at > 0) {
        return std::nullopt;  // a last byte of 0 says nothing, unless it is the only one
      }
      bytes.remove_prefix(at + 1);
      return value;
    }
  }
  return std::nullopt;
}

}  // namespace vrelo::log::sqlite
