// SPDX-License-Identifier: Apache-2.0
#include "hub/auth/published_secrets.h"

#include <algorithm>
#include <iterator>

#include "hub/auth/base64url.h"

namespace vrelo::auth {
namespace {

constexpr std::string_view kTexts[] = {
    // What examples of Mercure hubs and of their clients say.
    "!ChangeThisMercureHubJWTSecretKey!",
    // What the debugger of jwt.io signs with.
    "a-string-secret-at-least-256-bits-long",
    "a-valid-string-secret-that-is-at-least-384-bits-long",
    "a-valid-string-secret-that-is-at-least-512-bits-long-which-is-very-long",
};

constexpr std::string_view kBytes[] = {
    // RFC 7515, A.1, and RFC 7520, 3.5.
    "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow",
    "hJtXIZ2uSN5kbQfbtTNWbpdmhkV8FJG-Onbc6mxCcYg",
};

}  // namespace

bool is_published_secret(std::string_view secret) {
  return std::find(std::begin(kTexts), std::end(kTexts), secret) != std::end(kTexts) ||
         std::any_of(std::begin(kBytes), std::end(kBytes), [secret](std::string_view encoded) {
           return decode_base64url(encoded) == secret;
         });
}

}  // namespace vrelo::auth
