// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string_view>
#include <vector>

namespace vrelo::http {

// Compares ASCII letters without case, all other bytes as they are.
inline bool iequals(std::string_view a, std::string_view b) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; };
  return a.size() == b.size() &&
         std::equal(a.begin(), a.end(), b.begin(),
                    [&lower](char x, char y) { return lower(x) == lower(y); });
}

// The methods that the hub's endpoints tell apart.
enum class Method { kGet, kHead, kPost, kOptions, kOther };

// A header field. The value has no white space around it, but may be empty.
struct Field {
  std::string_view name;
  std::string_view value;

  friend bool operator==(const Field&, const Field&) = default;
};

// One request, as it came: nothing in it is percent-decoded.
//
// Lifetime: all views belong to the parser that gave it out.
struct Request {
  Method method = Method::kOther;
  std::string_view method_name = {};

  std::string_view path = {};   // "/a/b"; "*" in "OPTIONS *"; never empty
  std::string_view query = {};  // what follows the first "?"; "" also where there is no "?"

  // Who the request was sent to, with the port if it named one: the Host field, or the authority of
  // the target where that is a whole URL. "": an HTTP/1.0 request without Host.
  std::string_view host = {};

  int minor_version = 1;   // HTTP/1.0 or HTTP/1.1
  bool keep_alive = true;  // the sender wants to use the connection again

  std::vector<Field> fields = {};  // in the order they came
  std::string_view body = {};      // without its chunks

  // Returns the first value of the field `name`, or nullopt. Names have no case.
  std::optional<std::string_view> field(std::string_view name) const {
    const auto found = std::find_if(fields.begin(), fields.end(),
                                    [name](const Field& f) { return iequals(f.name, name); });
    return found == fields.end() ? std::nullopt : std::optional(found->value);
  }

  // Returns how often the field `name` came.
  std::size_t count(std::string_view name) const {
    return static_cast<std::size_t>(std::count_if(
        fields.begin(), fields.end(), [name](const Field& f) { return iequals(f.name, name); }));
  }
};

}  // namespace vrelo::http
