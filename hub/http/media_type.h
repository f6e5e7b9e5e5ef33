// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string_view>

namespace vrelo::http {

// Returns the type that a Content-Type names, as it was written and without its parameters, which
// are not looked at; nullopt: it names none. Media types have no case: compare with iequals().
//
// Source: RFC 9110 8.3.1.
std::optional<std::string_view> media_type(std::string_view content_type);

}  // namespace vrelo::http
