// SPDX-License-Identifier: Apache-2.0
#include "hub/auth/published_secrets.h"

#include <string>

#include <gtest/gtest.h>

#include "hub/auth/base64url.h"
#include "hub/auth/signing_testing.h"
#include "hub/auth/verifying_key.h"

namespace vrelo::auth {
namespace {

TEST(PublishedSecret, is_known_as_text_or_as_bytes) {
  EXPECT_TRUE(is_published_secret("!ChangeThisMercureHubJWTSecretKey!"));
  EXPECT_TRUE(
      is_published_secret(decode_base64url("hJtXIZ2uSN5kbQfbtTNWbpdmhkV8FJG-Onbc6mxCcYg").value()));
  EXPECT_FALSE(is_published_secret("!ChangeThisMercureHubJWTSecretKey"));
  EXPECT_FALSE(is_published_secret(""));
}

TEST(PublishedSecret, is_known_when_it_has_become_a_key) {
  EXPECT_TRUE(VerifyingKey::make_secret(Algorithm::kHs256, "!ChangeThisMercureHubJWTSecretKey!")
                  ->is_published());
  EXPECT_FALSE(testing::SigningKey(Algorithm::kHs256).verifying().is_published());
  EXPECT_FALSE(testing::SigningKey(Algorithm::kEs256).verifying().is_published());
}

}  // namespace
}  // namespace vrelo::auth
