// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "hub/auth/claims.h"

namespace vrelo::cli {

// What is to be said of a request.
struct ExplanationText {
  std::string text;  // lines for people; nothing in them could harm a terminal
  bool is_allowed = false;
};

// Returns what a hub's /admin/explain answered, in words; nullopt: it is no such answer.
std::optional<ExplanationText> explanation_text(std::string_view json, auth::NumericDate now);

}  // namespace vrelo::cli
