// SPDX-License-Identifier: Apache-2.0
#include "hub/api/host.h"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <string_view>

#include <boost/asio/ip/address.hpp>

#include "hub/http/token.h"

namespace vrelo::api {
namespace {

bool is_port(std::string_view digits) {
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  return digits.empty() || (error == std::errc() && end == digits.data() + digits.size());
}

// Returns the host of "host:port", whose port may be empty (RFC 3986 3.2.3), or nullopt.
std::optional<std::string_view> host_of(std::string_view text) {
  const std::size_t bracket = text.rfind(']');
  const std::size_t colon = text.find(':', bracket == std::string_view::npos ? 0 : bracket);
  const std::string_view host = text.substr(0, colon);
  if (colon != std::string_view::npos && !is_port(text.substr(colon + 1))) {
    return std::nullopt;
  }
  return host;
}

bool is_ipv6(std::string_view text) {
  // A scope ("fe80::1%eth0") has no meaning beyond one machine.
  if (text.find('%') != std::string_view::npos) {
    return false;
  }
  boost::system::error_code error;
  boost::asio::ip::make_address_v6(text, error);
  return !error;
}

// A browser writes each way of an IPv4 address ("127.1", "0x7f000001") as four numbers before it
// sends it.
bool is_ipv4(std::string_view text) {
  boost::system::error_code error;
  boost::asio::ip::make_address_v4(text, error);
  return !error;
}

bool is_name(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return http::is_letter_or_digit(c) || c == '-' || c == '.' || c == '_';
  });
}

bool is_localhost(std::string_view name) {
  constexpr std::string_view kLocalhost = "localhost";
  if (name.size() < kLocalhost.size()) {
    return false;
  }
  const std::size_t before = name.size() - kLocalhost.size();
  return http::iequals(name.substr(before), kLocalhost) && (before == 0 || name[before - 1] == '.');
}

http::Problem malformed() {
  return {.title = "malformed Host", .field = "Host"};
}

}  // namespace

std::optional<http::Problem> refuse_host(const http::Request& request, const Policy& policy) {
  if (request.host.empty()) {
    return std::nullopt;
  }
  const auto host = host_of(request.host);
  if (!host) {
    return malformed();
  }
  if (host->starts_with('[')) {
    const bool is_address = host->ends_with(']') && is_ipv6(host->substr(1, host->size() - 2));
    return is_address ? std::nullopt : std::optional(malformed());
  }
  std::string_view name = *host;
  if (name.ends_with('.')) {
    name.remove_suffix(1);
  }
  if (!is_name(name)) {
    return malformed();
  }
  const bool is_listed =
      std::any_of(policy.allowed_hosts.begin(), policy.allowed_hosts.end(),
                  [name](const std::string& listed) { return http::iequals(listed, name); });
  if (policy.allows_any_host || is_listed || is_localhost(name) || is_ipv4(name)) {
    return std::nullopt;
  }
  return http::Problem{.status = 421,
                       .title = "unknown Host",
                       .field = "Host",
                       .detail =
                           "The hub does not answer under this name. If it should, the "
                           "setting allowed_hosts has to list it."};
}

}  // namespace vrelo::api
