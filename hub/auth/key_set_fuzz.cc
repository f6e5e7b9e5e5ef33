// SPDX-License-Identifier: Apache-2.0
//
// Properties: keys are read or refused with a message, and no message repeats a secret; what is
// read obeys the limits; a set for a place that others can read holds no secret.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "hub/auth/key_set.h"

namespace vrelo::auth {
namespace {

void require(bool holds) {
  if (!holds) {
    std::abort();
  }
}

// What the secret of the seeds begins with.
constexpr std::string_view kSecret = "c2VjcmV0";

bool is_secret(const NamedKey& key) {
  return kind_of(key.key.algorithm()) == KeyKind::kSecret;
}

void check(std::string_view text) {
  const auto set = parse_key_set(text);
  if (!set) {
    require(!set.error().message.empty());
    require(set.error().message.find(kSecret) == std::string_view::npos);
  } else {
    require(!set->keys.empty() && set->keys.size() <= kKeysMax);
    const auto secrets = std::count_if(set->keys.begin(), set->keys.end(), is_secret);
    require(secrets == 0 || static_cast<std::size_t>(secrets) == set->keys.size());
    for (const NamedKey& key : set->keys) {
      require(!key.kid || key.kid->size() <= kKidBytesMax);
      require(!key.key.verifies("text", ""));
    }
  }
  const auto shared = parse_key_set(text, {.takes_secrets = false});
  require(!shared || (set && std::none_of(shared->keys.begin(), shared->keys.end(), is_secret)));
  const auto published = parse_published_set(text);
  require(!published || published->keys.empty() ||
          (shared && shared->keys.size() == published->keys.size()));
}

}  // namespace
}  // namespace vrelo::auth

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* input, std::size_t size) {
  vrelo::auth::check({reinterpret_cast<const char*>(input), size});
  return 0;
}
