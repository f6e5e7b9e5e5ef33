// SPDX-License-Identifier: Apache-2.0
#include "hub/auth/challenge.h"

#include <cassert>

#include <fmt/format.h>

#include "hub/auth/errc.h"

namespace vrelo::auth {
namespace {

// `error`: "": the sender did not try, so there is nothing to say about it.
std::string field_of(std::string_view error, std::string_view metadata_url) {
  assert(metadata_url.find_first_of("\"\\\r\n") == std::string_view::npos);
  std::string field = "Bearer";
  std::string_view separator = " ";
  if (!error.empty()) {
    field += fmt::format("{}error=\"{}\"", separator, error);
    separator = ", ";
  }
  if (!metadata_url.empty()) {
    field += fmt::format("{}resource_metadata=\"{}\"", separator, metadata_url);
  }
  return field;
}

}  // namespace

Challenge challenge_of(const boost::system::error_code& error, std::string_view metadata_url) {
  if (error == Errc::kTokenMissing) {
    return {.status = 401, .field = field_of("", metadata_url)};
  }
  if (is_malformed_request(error)) {
    return {.status = 400, .field = field_of("invalid_request", metadata_url)};
  }
  return {.status = 401, .field = field_of("invalid_token", metadata_url)};
}

Challenge challenge_of_missing_grant(std::string_view metadata_url) {
  return {.status = 403, .field = field_of("insufficient_scope", metadata_url)};
}

}  // namespace vrelo::auth
