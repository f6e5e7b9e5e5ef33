// SPDX-License-Identifier: Apache-2.0
#include "hub/base/secret_words.h"

#include <algorithm>

namespace vrelo::base {
namespace {

// Of base64url, and the dot between the parts of a token.
bool is_part_of_word(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' ||
         c == '_' || c == '.';
}

}  // namespace

bool looks_secret(std::string_view word) {
  constexpr std::size_t kBytesMin = 16;
  if (word.size() < kBytesMin || !std::all_of(word.begin(), word.end(), is_part_of_word)) {
    return false;
  }
  // In base64url an object begins with "ey", and what follows of a name or a space is a capital.
  const bool is_token = word.starts_with("ey") && word[2] >= 'A' && word[2] <= 'Z' &&
                        std::count(word.begin(), word.end(), '.') >= 2;
  return is_token || word.starts_with("vt_");
}

std::string without_secrets(std::string_view text) {
  std::string shown;
  while (!text.empty()) {
    const auto* const end = std::find_if_not(text.begin(), text.end(), is_part_of_word);
    const std::string_view word = text.substr(0, static_cast<std::size_t>(end - text.begin()));
    shown += looks_secret(word) ? "(a secret)" : word;
    text.remove_prefix(word.size());
    const auto* const next = std::find_if(text.begin(), text.end(), is_part_of_word);
    const auto between = static_cast<std::size_t>(next - text.begin());
    shown += text.substr(0, between);
    text.remove_prefix(between);
  }
  return shown;
}

}  // namespace vrelo::base
