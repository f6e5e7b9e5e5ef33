// SPDX-License-Identifier: Apache-2.0
#include "hub/base/https_url.h"

#include <cassert>
#include <charconv>
#include <system_error>

#include <ada.h>

namespace vrelo::base {
namespace {

constexpr std::uint16_t kOwnPort = 443;

}  // namespace

Parsed<HttpsUrl> parse_https_url(std::string_view text) {
  const auto url = ada::parse<ada::url_aggregator>(text);
  if (!url || url->get_protocol() != "https:") {
    return Fault{"is not an https URL"};
  }
  if (url->has_credentials()) {
    return Fault{"has a user or a password, which would end up in logs"};
  }
  HttpsUrl result{.host = std::string(url->get_hostname()),
                  .path = std::string(url->get_pathname()),
                  .query = std::string(url->get_search())};
  // Ada leaves the port out where it is the scheme's own.
  if (const std::string_view port = url->get_port(); !port.empty()) {
    const auto [end, errc] = std::from_chars(port.data(), port.data() + port.size(), result.port);
    assert(errc == std::errc() && end == port.data() + port.size());
  }
  return result;
}

std::string authority_of(const HttpsUrl& url) {
  return url.port == kOwnPort ? url.host : url.host + ':' + std::to_string(url.port);
}

std::string shown(const HttpsUrl& url) {
  return "https://" + authority_of(url) + url.path + (url.query.empty() ? "" : "?…");
}

}  // namespace vrelo::base
