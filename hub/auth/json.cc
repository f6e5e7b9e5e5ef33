// SPDX-License-Identifier: Apache-2.0
#include "hub/auth/json.h"

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <set>
#include <utility>
#include <vector>

#include <boost/json/basic_parser_impl.hpp>
#include <boost/json/value_stack.hpp>

namespace vrelo::auth {
namespace {

namespace json = boost::json;
using boost::system::error_code;

// What json::parse() does, but that it keeps the last of two members with one name, and makes an
// infinity of 1e400.
class Handler {
 public:
  // The parser looks for these names. Whoever calls has a limit for the whole.
  // NOLINTBEGIN(readability-identifier-naming)
  static constexpr std::size_t max_object_size = json::object::max_size();
  static constexpr std::size_t max_array_size = json::array::max_size();
  static constexpr std::size_t max_key_size = json::string::max_size();
  static constexpr std::size_t max_string_size = json::string::max_size();
  // NOLINTEND(readability-identifier-naming)

  Handler() { stack_.reset(); }

  json::value release() { return stack_.release(); }

  // The rest are the names that the parser calls. Each returns whether to go on.

  bool on_document_begin(error_code&) { return true; }
  bool on_document_end(error_code&) { return true; }

  bool on_object_begin(error_code&) {
    names_.emplace_back();
    return true;
  }
  bool on_object_end(std::size_t size, error_code&) {
    names_.pop_back();
    stack_.push_object(size);
    return true;
  }
  bool on_key_part(json::string_view part, std::size_t, error_code&) {
    name_.append(part.data(), part.size());
    stack_.push_chars(part);
    return true;
  }
  bool on_key(json::string_view last_part, std::size_t, error_code& error) {
    name_.append(last_part.data(), last_part.size());
    stack_.push_key(last_part);
    if (!names_.back().insert(std::exchange(name_, {})).second) {
      error = Errc::kNameTwice;
      return false;
    }
    return true;
  }

  bool on_array_begin(error_code&) { return true; }
  bool on_array_end(std::size_t size, error_code&) {
    stack_.push_array(size);
    return true;
  }

  bool on_string_part(json::string_view part, std::size_t, error_code&) {
    stack_.push_chars(part);
    return true;
  }
  bool on_string(json::string_view last_part, std::size_t, error_code&) {
    stack_.push_string(last_part);
    return true;
  }

  bool on_number_part(json::string_view, error_code&) { return true; }
  bool on_int64(std::int64_t number, json::string_view, error_code&) {
    stack_.push_int64(number);
    return true;
  }
  bool on_uint64(std::uint64_t number, json::string_view, error_code&) {
    stack_.push_uint64(number);
    return true;
  }
  bool on_double(double number, json::string_view, error_code& error) {
    if (!std::isfinite(number)) {
      error = Errc::kNumberNotFinite;
      return false;
    }
    stack_.push_double(number);
    return true;
  }

  bool on_bool(bool value, error_code&) {
    stack_.push_bool(value);
    return true;
  }
  bool on_null(error_code&) {
    stack_.push_null();
    return true;
  }

  bool on_comment_part(json::string_view, error_code&) { return true; }
  bool on_comment(json::string_view, error_code&) { return true; }

 private:
  json::value_stack stack_;
  std::vector<std::set<std::string>> names_;  // of the objects that are open, the innermost last
  std::string name_;                          // the parts so far of the name that is being read
};

}  // namespace

Result<json::value> parse_json(std::string_view text) {
  json::basic_parser<Handler> parser{json::parse_options()};  // which allow nothing but JSON
  error_code error;
  const std::size_t read = parser.write_some(false, text.data(), text.size(), error);
  if (error == Errc::kNameTwice || error == Errc::kNumberNotFinite) {
    return error;
  }
  if (error == json::error::exponent_overflow) {
    return Errc::kNumberNotFinite;
  }
  if (error || read != text.size()) {
    return Errc::kNotJson;
  }
  return parser.handler().release();
}

Result<json::object> parse_json_object(std::string_view text) {
  auto value = parse_json(text);
  if (!value) {
    return value.error();
  }
  if (!value->is_object()) {
    return Errc::kNotAnObject;
  }
  return std::move(value->get_object());
}

}  // namespace vrelo::auth
