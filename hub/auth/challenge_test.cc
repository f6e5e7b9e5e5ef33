// SPDX-License-Identifier: Apache-2.0
#include "hub/auth/challenge.h"

#include <gtest/gtest.h>

#include "hub/auth/errc.h"

namespace vrelo::auth {
namespace {

constexpr const char* kUrl = "https://hub.example/.well-known/oauth-protected-resource/hub";

TEST(Challenge, names_no_error_where_there_was_no_token) {
  EXPECT_EQ(challenge_of(Errc::kTokenMissing, ""), (Challenge{401, "Bearer"}));
  EXPECT_EQ(challenge_of(Errc::kTokenMissing, kUrl),
            (Challenge{401,
                       "Bearer resource_metadata=\"https://hub.example/.well-known/"
                       "oauth-protected-resource/hub\""}));
}

TEST(Challenge, is_the_same_for_all_tokens_that_are_wrong) {
  for (int value = 1; value <= static_cast<int>(Errc::kCookieMalformed); ++value) {
    const auto error = make_error_code(static_cast<Errc>(value));
    if (error == Errc::kTokenMissing || is_malformed_request(error)) {
      continue;
    }
    SCOPED_TRACE(error.message());
    EXPECT_EQ(challenge_of(error, kUrl),
              (Challenge{401,
                         "Bearer error=\"invalid_token\", resource_metadata=\"https://hub.example/"
                         ".well-known/oauth-protected-resource/hub\""}));
  }
}

TEST(Challenge, says_that_a_request_is_malformed) {
  for (const Errc errc : {Errc::kAuthorizationTwice, Errc::kAuthorizationMalformed,
                          Errc::kCookieTwice, Errc::kCookieMalformed}) {
    EXPECT_EQ(challenge_of(errc, ""), (Challenge{400, "Bearer error=\"invalid_request\""}));
  }
}

TEST(Challenge, says_that_a_token_grants_too_little) {
  EXPECT_EQ(challenge_of_missing_grant(""),
            (Challenge{403, "Bearer error=\"insufficient_scope\""}));
}

TEST(ChallengeDeathTest, takes_no_url_with_a_quote) {
  EXPECT_DEATH(challenge_of(Errc::kTokenMissing, "https://x/\", error=\"y"), "metadata_url");
}

}  // namespace
}  // namespace vrelo::auth
