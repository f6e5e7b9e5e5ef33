// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "hub/auth/claims.h"
#include "hub/base/setting_text.h"
#include "hub/base/settings.h"

namespace vrelo::cli {

// What is to be said of a token.
struct TokenText {
  std::string text;      // lines for people; nothing in them could harm a terminal
  bool is_taken = true;  // false: the hub of the settings would refuse it for every request
};

// "2026-11-30T02:00:00Z, in 5min", "…, 3d 2h ago".
std::string time_text(auth::NumericDate time, auth::NumericDate now);

// Says what `token` holds, and, with the settings of a hub, whether that would take it at `now`.
//
// Errors: a sentence: it is no token, or the keys of the settings cannot be read.
// Cost: with settings, reads their key files.
base::Parsed<TokenText> token_text(std::string_view token,
                                   const base::Settings* settings,
                                   auth::NumericDate now);

}  // namespace vrelo::cli
