// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace vrelo::http {

inline constexpr std::string_view kFormType = "application/x-www-form-urlencoded";

// One pair of a form, still encoded.
struct FormPair {
  std::string_view name;
  std::string_view value;  // "" also where there is no "="
};

// Reads a form, or the query of a URL, pair by pair.
//
// Lifetime: `form` must outlive the reader and the pairs.
// Cost: no allocation.
// Source: WHATWG URL 5.1. One deviation: the bytes are left as they are, where the text replaces
// what is not UTF-8, so that the caller can refuse it.
class FormReader {
 public:
  explicit FormReader(std::string_view form) : rest_(form) {}

  // Returns the next pair, or nullopt at the end. Empty pairs, as in "a=1&&b=2&", are skipped; ";"
  // is data.
  std::optional<FormPair> next();

 private:
  std::string_view rest_;
};

// Decodes a name or a value: "+" is a space, "%41" is "A", and a "%" without two hexadecimal digits
// is itself. Any bytes may come out, NUL and what is not UTF-8 among them.
std::string form_decode(std::string_view encoded);

// The same without a copy where nothing is encoded: returns `encoded`, or a view of `buffer`.
std::string_view form_decode(std::string_view encoded, std::string& buffer);

}  // namespace vrelo::http
