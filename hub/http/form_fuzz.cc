// SPDX-License-Identifier: Apache-2.0
//
// Properties: a form without its empty pairs reads the same; decoding is undone by encoding; both
// ways of decoding agree.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "hub/http/form.h"

namespace vrelo::http {
namespace {

void require(bool holds) {
  if (!holds) {
    std::abort();
  }
}

std::string encode(std::string_view bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string encoded;
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == ' ') {
      encoded.push_back('+');
    } else {
      encoded.append("%").append({kDigits[byte >> 4], kDigits[byte & 15]});
    }
  }
  return encoded;
}

void check(std::string_view form) {
  std::string joined;
  FormReader reader(form);
  while (const auto pair = reader.next()) {
    for (const std::string_view part : {pair->name, pair->value}) {
      const std::string decoded = form_decode(part);
      std::string buffer;
      require(form_decode(part, buffer) == decoded);
      require(form_decode(encode(decoded)) == decoded);
      require(decoded.size() <= part.size());
    }
    joined.append(pair->name).append("=").append(pair->value).append("&&");
  }

  FormReader whole(form);
  FormReader again(joined);
  while (const auto pair = whole.next()) {
    const auto same = again.next();
    require(same && same->value == pair->value && same->name == pair->name);
  }
  require(!again.next());
}

}  // namespace
}  // namespace vrelo::http

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* input, std::size_t size) {
  vrelo::http::check({reinterpret_cast<const char*>(input), size});
  return 0;
}
