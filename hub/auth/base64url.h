// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace vrelo::auth {

// Returns the bytes that `text` stands for, or nullopt. Bytes have one encoding only: padding,
// other characters, and a last character with bits that mean nothing are refused, so that no two
// tokens say the same.
//
// Source: RFC 4648 5 and 3.5, RFC 7515 2.
std::optional<std::string> decode_base64url(std::string_view text);

std::string encode_base64url(std::string_view bytes);

}  // namespace vrelo::auth
