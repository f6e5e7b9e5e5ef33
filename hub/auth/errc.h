// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <type_traits>

#include <boost/system/error_code.hpp>
#include <boost/system/result.hpp>

namespace vrelo::auth {

// What reading a token returns: a T, or one of Errc.
template <typename T>
using Result = boost::system::result<T>;

// Why a token was refused. It is for logs and for who runs the hub: the presenter learns only that
// the token is refused, since more would help somebody who makes tokens up.
enum class Errc {
  // Its form.
  kTokenTooLong = 1,  // more than kTokenBytesMax
  kNotThreeParts,     // a compact JWS has three parts
  kNotBase64Url,      // a part has characters that do not belong there, or padding
  kNotJson,           // header or payload: no JSON in UTF-8, or nested deeper than 32 levels
  kNameTwice,         // header or payload: one name twice in an object, at any depth
  kNumberNotFinite,   // header or payload: a number beyond those of a double
  kNotAnObject,       // header or payload
  kHeaderMalformed,   // no alg, or alg, kid, typ or cty is not a text
  kKidTooLong,        // more than kKidBytesMax
  kExtensionRefused,  // the header has crit, b64 or zip, none of which we know or want
  kTokenNested,       // cty says that the payload is a token
  kAlgorithmUnknown,  // alg is none of ours; names have a case

  // Who signed it.
  kKeyUnknown,      // no key of this kid, for this algorithm and what is asked for
  kKidNeeded,       // more than kKeysTriedMax keys may have signed it, for want of kids
  kSignatureWrong,  // not made by the key, or of something else

  // What it says.
  kTypeRefused,        // typ is not at+jwt, and it is no token of 0.x where those are taken
  kIssuerMalformed,    // iss is not a text
  kSubjectMalformed,   // sub, client_id or jti is not a text
  kAudienceMalformed,  // aud is neither a text nor a list of texts that has one
  kTimeMalformed,      // exp, nbf or iat is not a number from 0 to 2^53
  kDetailsMalformed,   // authorization_details is not a list, or has what is no detail
  kActionsMalformed,   // a detail's actions
  kTopicsMalformed,    // a detail's topics, or the lists of a mercure claim
  kMatcherMalformed,   // a topic that is matched is no text, or none that a topic may be
  kMatchTypeUnknown,   // match_type is neither exact nor urlpattern
  kPayloadMalformed,   // a detail's payload is not an object
  kDetailsTooMany,     // more than kDetailsMax, kMatchersMax, or kMatcherBytesMax

  kPatternRefused,  // a pattern that cannot be read or run

  // Whether it is for us, and now.
  kIssuerRefused,    // iss is missing, or is not whose key signed
  kAudienceRefused,  // aud is missing or does not name the hub
  kExpiryMissing,    // no exp
  kExpired,          // exp is now or was before
  kNotYetValid,      // nbf is in the future
  kIssuedAtMissing,  // no iat, and its issuer's tokens have a longest time to live
  kExpiryTooFar,     // exp is further away than that, from iat or from now
  kRevoked,          // nothing else is wrong with it

  kTokenMissing,    // there is none, and the request needs one
  kChannelRefused,  // its issuer's tokens are not taken from the query or the former cookie

  // How it was presented: the request is malformed, whatever the token is.
  kAuthorizationTwice,      // more than one Authorization field
  kAuthorizationMalformed,  // nothing in it, or after "Bearer" what no token is written with
  kCookieTwice,             // one cookie with two values
  kCookieMalformed,         // a value that no token is written with
};

boost::system::error_code make_error_code(Errc errc);

// Returns whether `error` is one of presentation, which a request gets 400 for instead of 401.
bool is_malformed_request(const boost::system::error_code& error);

}  // namespace vrelo::auth

template <>
struct boost::system::is_error_code_enum<vrelo::auth::Errc> : std::true_type {};
