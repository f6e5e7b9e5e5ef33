// SPDX-License-Identifier: Apache-2.0
#include "hub/auth/credentials.h"

#include <algorithm>
#include <locale>

#include <boost/algorithm/string/predicate.hpp>

namespace vrelo::auth {
namespace {

constexpr std::string_view kSpaces = " \t";

std::string_view trim(std::string_view text) {
  const auto first = text.find_first_not_of(kSpaces);
  if (first == std::string_view::npos) {
    return {};
  }
  return text.substr(first, text.find_last_not_of(kSpaces) - first + 1);
}

// Source: RFC 6750 2.1, b64token.
bool is_token_text(std::string_view text) {
  const auto end = std::min(text.find_last_not_of('='), text.size() - 1);
  return !text.empty() && text[0] != '=' &&
         std::all_of(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(end) + 1, [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                  c == '-' || c == '.' || c == '_' || c == '~' || c == '+' || c == '/';
         });
}

Result<Credentials> read_authorization(std::span<const std::string_view> fields) {
  if (fields.size() > 1) {
    return Errc::kAuthorizationTwice;
  }
  const std::string_view field = trim(fields[0]);
  const std::string_view scheme = field.substr(0, field.find_first_of(kSpaces));
  if (field.empty()) {
    return Errc::kAuthorizationMalformed;
  }
  if (!boost::algorithm::iequals(scheme, "Bearer", std::locale::classic())) {
    return Credentials();
  }
  const std::string_view token = trim(field.substr(scheme.size()));
  if (!is_token_text(token)) {
    return Errc::kAuthorizationMalformed;
  }
  return Credentials{.channel = Channel::kHeader, .token = token};
}

Result<Credentials> read_cookie(std::span<const std::string_view> fields,
                                std::string_view name,
                                Channel channel) {
  const auto value = find_cookie(fields, name);
  if (!value) {
    return value.error();
  }
  if (!*value) {
    return Credentials();
  }
  if (!is_token_text(**value)) {
    return Errc::kCookieMalformed;
  }
  return Credentials{.channel = channel, .token = **value};
}

}  // namespace

Result<Credentials> find_credentials(const Presented& presented, const CredentialRules& rules) {
  if (!presented.authorization_fields.empty()) {
    return read_authorization(presented.authorization_fields);
  }
  if (rules.takes_query_token && presented.query_token) {
    if (!is_token_text(*presented.query_token)) {
      return Errc::kAuthorizationMalformed;
    }
    return Credentials{.channel = Channel::kQuery, .token = *presented.query_token};
  }
  auto found = read_cookie(presented.cookie_fields, rules.cookie_name, Channel::kCookie);
  if (found && found->channel == Channel::kNone && !rules.former_cookie_name.empty()) {
    return read_cookie(presented.cookie_fields, rules.former_cookie_name, Channel::kFormerCookie);
  }
  return found;
}

Result<std::optional<std::string_view>> find_cookie(std::span<const std::string_view> fields,
                                                    std::string_view name) {
  std::optional<std::string_view> found;
  for (std::string_view rest : fields) {
    while (!rest.empty()) {
      const std::string_view pair = rest.substr(0, rest.find(';'));
      rest.remove_prefix(std::min(pair.size() + 1, rest.size()));
      const auto equals = pair.find('=');
      if (equals == std::string_view::npos || trim(pair.substr(0, equals)) != name) {
        continue;
      }
      const std::string_view value = trim(pair.substr(equals + 1));
      if (found && *found != value) {
        return Errc::kCookieTwice;
      }
      found = value;
    }
  }
  return found && found->empty() ? std::nullopt : found;
}

}  // namespace vrelo::auth
