// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include <boost/system/error_code.hpp>

namespace vrelo::auth {

// How a request is refused for what it may not do.
struct Challenge {
  int status = 401;
  std::string field = {};  // the value of WWW-Authenticate

  friend bool operator==(const Challenge&, const Challenge&) = default;
};

// Returns the answer to a request that Authenticator::authorize() refused with `error`. It depends
// on nothing that the sender does not know: all tokens that are wrong are refused alike.
// `metadata_url`: where the hub describes itself (RFC 9728), without quotes; "": nowhere.
//
// Source: draft-dunglas-mercure-08 6.2; RFC 6750 3; RFC 9728 5.1.
Challenge challenge_of(const boost::system::error_code& error, std::string_view metadata_url);

// Returns the answer to a request whose token is valid and grants too little.
Challenge challenge_of_missing_grant(std::string_view metadata_url);

}  // namespace vrelo::auth
