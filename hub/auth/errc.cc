// SPDX-License-Identifier: Apache-2.0
#include "hub/auth/errc.h"

#include <algorithm>
#include <iterator>
#include <string>

namespace vrelo::auth {
namespace {

struct Description {
  Errc errc;
  const char* message;
};

constexpr Description kDescriptions[] = {
    {Errc::kTokenTooLong, "the token is longer than 8 KiB"},
    {Errc::kNotThreeParts, "the token does not have three parts"},
    {Errc::kNotBase64Url, "a part of the token is not base64url"},
    {Errc::kNotJson, "the token's header or payload is not JSON"},
    {Errc::kNameTwice, "the token has a name twice in one object"},
    {Errc::kNumberNotFinite, "the token has a number that is too large"},
    {Errc::kNotAnObject, "the token's header or payload is not an object"},
    {Errc::kHeaderMalformed, "the token's header has no alg, or a member that is not a text"},
    {Errc::kKidTooLong, "the token's kid is longer than 256 bytes"},
    {Errc::kExtensionRefused, "the token's header has crit, b64 or zip"},
    {Errc::kTokenNested, "the token holds another token"},
    {Errc::kAlgorithmUnknown, "the token's alg is none that is known"},
    {Errc::kKeyUnknown, "there is no key with the token's kid and alg for this request"},
    {Errc::kKidNeeded,
     "more than 8 keys may have signed the token: it has no kid, or they have none"},
    {Errc::kSignatureWrong, "the token's signature is wrong"},
    {Errc::kTypeRefused, "the token's typ is not at+jwt"},
    {Errc::kIssuerMalformed, "the token's iss is not a text"},
    {Errc::kSubjectMalformed, "the token's sub, client_id or jti is not a text"},
    {Errc::kAudienceMalformed, "the token's aud is neither a text nor a list of texts"},
    {Errc::kTimeMalformed, "the token's exp, nbf or iat is not a number from 0 to 2^53"},
    {Errc::kDetailsMalformed, "the token's authorization_details are not a list of details"},
    {Errc::kActionsMalformed, "the actions of a detail are not a list of texts that has one"},
    {Errc::kTopicsMalformed, "the topics that the token grants are not a list that has one"},
    {Errc::kMatcherMalformed, "a topic that the token grants is not a text that a topic can be"},
    {Errc::kMatchTypeUnknown, "a match_type of the token is neither exact nor urlpattern"},
    {Errc::kPayloadMalformed, "a payload of the token is not an object"},
    {Errc::kDetailsTooMany,
     "the token grants too much at once: details, topics, or a text that is too long"},
    {Errc::kPatternRefused, "the token has a pattern that cannot be read or run"},
    {Errc::kIssuerRefused, "the token's iss is not the issuer whose key signed it"},
    {Errc::kAudienceRefused, "the token's aud does not name this hub"},
    {Errc::kExpiryMissing, "the token has no exp"},
    {Errc::kExpired, "the token's exp has passed"},
    {Errc::kNotYetValid, "the token's nbf is in the future"},
    {Errc::kIssuedAtMissing, "the token has no iat, which its issuer's token_lifetime needs"},
    {Errc::kExpiryTooFar, "the token's exp is further away than its issuer's token_lifetime"},
    {Errc::kRevoked, "the token is revoked"},
    {Errc::kTokenMissing, "there is no token"},
    {Errc::kChannelRefused, "the token's issuer may not use the query or the former cookie"},
    {Errc::kAuthorizationTwice, "there is more than one Authorization field"},
    {Errc::kAuthorizationMalformed, "the Authorization field holds no token"},
    {Errc::kCookieTwice, "the token's cookie has two values"},
    {Errc::kCookieMalformed, "the token's cookie holds no token"},
};

class Category final : public boost::system::error_category {
 public:
  const char* name() const noexcept override { return "vrelo.auth"; }

  std::string message(int value) const override {
    const auto* const found = std::find_if(
        std::begin(kDescriptions), std::end(kDescriptions),
        [value](const Description& row) { return row.errc == static_cast<Errc>(value); });
    return found == std::end(kDescriptions) ? "unknown error" : found->message;
  }
};

}  // namespace

boost::system::error_code make_error_code(Errc errc) {
  static const Category category;
  return {static_cast<int>(errc), category};
}

bool is_malformed_request(const boost::system::error_code& error) {
  return error == Errc::kAuthorizationTwice || error == Errc::kAuthorizationMalformed ||
         error == Errc::kCookieTwice || error == Errc::kCookieMalformed;
}

}  // namespace vrelo::auth
