// SPDX-License-Identifier: Apache-2.0
//
// Properties: what is found is a part of what came, and written with a token's characters; cookies
// read the same in one field as in several; nothing else in the fields changes what is found.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "hub/auth/credentials.h"

namespace vrelo::auth {
namespace {

void require(bool holds) {
  if (!holds) {
    std::abort();
  }
}

const CredentialRules kRules{.cookie_name = "t", .former_cookie_name = "f"};

void check_token(const Result<Credentials>& found, std::string_view within) {
  if (!found) {
    require(is_malformed_request(found.error()));
    return;
  }
  require(found->token.empty() == (found->channel == Channel::kNone));
  require(within.find(found->token) != std::string_view::npos);
  require(found->token.find_first_of(" \t;,\"\r\n") == std::string_view::npos);
}

void check(std::string_view text) {
  const std::vector<std::string_view> one{text};
  check_token(find_credentials({.authorization_fields = one}, kRules), text);

  const auto whole = find_credentials({.cookie_fields = one}, kRules);
  check_token(whole, text);
  std::vector<std::string_view> split;
  for (std::string_view rest = text;;) {
    const auto end = rest.find(';');
    split.push_back(rest.substr(0, end));
    if (end == std::string_view::npos) {
      break;
    }
    rest.remove_prefix(end + 1);
  }
  const auto parts = find_credentials({.cookie_fields = split}, kRules);
  require(whole.has_value() == parts.has_value());
  require(whole ? *whole == *parts : whole.error() == parts.error());

  const std::string longer = "other=1;" + std::string(text) + "; more";
  const std::vector<std::string_view> among{longer};
  const auto again = find_credentials({.cookie_fields = among}, kRules);
  require(whole.has_value() == again.has_value() && (!whole || *whole == *again));
}

}  // namespace
}  // namespace vrelo::auth

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* input, std::size_t size) {
  vrelo::auth::check({reinterpret_cast<const char*>(input), size});
  return 0;
}
