// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include <boost/json/object.hpp>
#include <boost/json/string.hpp>
#include <boost/json/value.hpp>

#include "hub/auth/errc.h"

namespace vrelo::auth {

// Reads JSON that somebody else must read in the same way. An object with one name twice means
// different things to different parsers, and a number beyond those of a double to all of them.
//
// Errors: kNotJson, kNameTwice, kNumberNotFinite.
// Source: RFC 8259; RFC 7515 4 (names are unique).
Result<boost::json::value> parse_json(std::string_view text);

// As parse_json(), for an object.
//
// Errors: kNotAnObject, too.
Result<boost::json::object> parse_json_object(std::string_view text);

// A text may hold U+0000.
inline std::string text_of(const boost::json::string& text) {
  return {text.data(), text.size()};
}

}  // namespace vrelo::auth
