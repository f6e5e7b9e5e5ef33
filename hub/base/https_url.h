// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "hub/base/setting_text.h"

namespace vrelo::base {

// A place on the web that the hub asks, taken apart.
struct HttpsUrl {
  std::string host;  // a name in ASCII, an IPv4 address, or an IPv6 address in brackets
  std::uint16_t port = 443;
  std::string path;   // begins with "/"
  std::string query;  // begins with "?", or is ""

  friend bool operator==(const HttpsUrl&, const HttpsUrl&) = default;
};

// A fragment is left out: no server sees it.
//
// Errors: half a sentence: it is no URL, not of https, or has a user or a password.
// Source: WHATWG URL.
Parsed<HttpsUrl> parse_https_url(std::string_view text);

// The value of the field Host: "example.com:8443".
std::string authority_of(const HttpsUrl& url);

// For logs: without the query, which may have a secret in it.
std::string shown(const HttpsUrl& url);

}  // namespace vrelo::base
