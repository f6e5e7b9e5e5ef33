// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "sse/client/errc.h"

namespace vrelo::sse::client {

// Where a request goes, taken apart. Two that mean the same place are equal.
//
// Source: WHATWG URL, but for http and https alone, and without user, password and fragment.
struct Url {
  bool is_tls = false;
  std::string host;  // a name in ASCII, an IPv4 address, or an IPv6 address in brackets
  std::uint16_t port = 80;
  std::string path;   // begins with "/"
  std::string query;  // begins with "?", or is ""

  friend bool operator==(const Url&, const Url&) = default;
};

// Errors: kUrlMalformed, kUrlScheme, kUrlHasCredentials.
Result<Url> parse_url(std::string_view text);

// Reads `reference` as it stands in an answer to a request for `base`: absolute or relative.
// Errors: as parse_url().
Result<Url> resolve(const Url& base, std::string_view reference);

// Whether what is secret to one of them may be told to the other.
bool is_same_origin(const Url& a, const Url& b);

// "http://example.com:8080": the port is left out where it is the scheme's own.
std::string origin_of(const Url& url);

// The value of the field Host: "example.com:8080".
std::string authority_of(const Url& url);

std::string to_string(const Url& url);

}  // namespace vrelo::sse::client
