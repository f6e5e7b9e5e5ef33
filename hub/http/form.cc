// SPDX-License-Identifier: Apache-2.0
#include "hub/http/form.h"

#include <algorithm>
#include <cstddef>

#include "hub/base/hex.h"

namespace vrelo::http {
namespace {

bool is_encoded(char byte) {
  return byte == '%' || byte == '+';
}

// Whether `text` stands for itself. Two searches by vectors, where std::find_if looks at each byte.
bool is_plain(std::string_view text) {
  return text.find('%') == std::string_view::npos && text.find('+') == std::string_view::npos;
}

// Appends what `encoded` stands for. The runs in between are copied as they are.
void append_decoded(std::string_view encoded, std::string& out) {
  const char* at = encoded.data();
  const char* const end = at + encoded.size();
  while (at != end) {
    const char* const run_end = std::find_if(at, end, is_encoded);
    out.append(at, run_end);
    if (run_end == end) {
      return;
    }
    at = run_end;
    const int high = *at == '%' && end - at > 2 ? base::hex_value(at[1]) : -1;
    const int low = high >= 0 ? base::hex_value(at[2]) : -1;
    if (low >= 0) {
      out.push_back(static_cast<char>(high * 16 + low));
      at += 3;
    } else {
      out.push_back(*at == '+' ? ' ' : '%');
      ++at;
    }
  }
}

}  // namespace

std::optional<FormPair> FormReader::next() {
  while (!rest_.empty()) {
    const std::size_t end = std::min(rest_.find('&'), rest_.size());
    const std::string_view pair = rest_.substr(0, end);
    rest_.remove_prefix(std::min(end + 1, rest_.size()));
    if (!pair.empty()) {
      const std::size_t equals = std::min(pair.find('='), pair.size());
      return FormPair{.name = pair.substr(0, equals),
                      .value = pair.substr(std::min(equals + 1, pair.size()))};
    }
  }
  return std::nullopt;
}

std::string form_decode(std::string_view encoded) {
  if (is_plain(encoded)) {
    return std::string(encoded);
  }
  std::string decoded;
  decoded.reserve(encoded.size());
  append_decoded(encoded, decoded);
  return decoded;
}

std::string_view form_decode(std::string_view encoded, std::string& buffer) {
  if (is_plain(encoded)) {
    return encoded;
  }
  buffer.clear();
  append_decoded(encoded, buffer);
  return buffer;
}

}  // namespace vrelo::http
