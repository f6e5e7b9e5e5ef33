// SPDX-License-Identifier: Apache-2.0
#include "sse/client/url.h"

#include <cassert>
#include <charconv>

#include <ada.h>

namespace vrelo::sse::client {
namespace {

constexpr std::uint16_t kPlainPort = 80;
constexpr std::uint16_t kTlsPort = 443;

Result<Url> take_apart(const ada::result<ada::url_aggregator>& parsed) {
  if (!parsed) {
    return Errc::kUrlMalformed;
  }
  const std::string_view scheme = parsed->get_protocol();
  if (scheme != "http:" && scheme != "https:") {
    return Errc::kUrlScheme;
  }
  if (parsed->has_credentials()) {
    return Errc::kUrlHasCredentials;
  }
  Url url{.is_tls = scheme == "https:",
          .host = std::string(parsed->get_hostname()),
          .port = scheme == "https:" ? kTlsPort : kPlainPort,
          .path = std::string(parsed->get_pathname()),
          .query = std::string(parsed->get_search())};
  // Ada leaves the port out where it is the scheme's own.
  if (const std::string_view port = parsed->get_port(); !port.empty()) {
    const auto [end, errc] = std::from_chars(port.data(), port.data() + port.size(), url.port);
    assert(errc == std::errc() && end == port.data() + port.size());
  }
  return url;
}

}  // namespace

Result<Url> parse_url(std::string_view text) {
  return take_apart(ada::parse<ada::url_aggregator>(text));
}

Result<Url> resolve(const Url& base, std::string_view reference) {
  const auto parsed_base = ada::parse<ada::url_aggregator>(to_string(base));
  assert(parsed_base.has_value());
  return take_apart(ada::parse<ada::url_aggregator>(reference, &*parsed_base));
}

bool is_same_origin(const Url& a, const Url& b) {
  return a.is_tls == b.is_tls && a.host == b.host && a.port == b.port;
}

std::string origin_of(const Url& url) {
  return (url.is_tls ? "https://" : "http://") + authority_of(url);
}

std::string authority_of(const Url& url) {
  const bool is_own_port = url.port == (url.is_tls ? kTlsPort : kPlainPort);
  return is_own_port ? url.host : url.host + ':' + std::to_string(url.port);
}

std::string to_string(const Url& url) {
  return origin_of(url) + url.path + url.query;
}

}  // namespace vrelo::sse::client
