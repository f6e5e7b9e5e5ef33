// SPDX-License-Identifier: Apache-2.0
//
// Properties: what is read of a payload obeys the limits that other code relies on; an access token
// is never one of 0.x; what is refused as an access token is not taken because 0.x is.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "hub/auth/claims.h"

namespace vrelo::auth {
namespace {

void require(bool holds) {
  if (!holds) {
    std::abort();
  }
}

void check_time(const std::optional<NumericDate>& time) {
  require(!time || (time->count() >= 0 && time->count() <= 9007199254740992));
}

void check_claims(const Claims& claims) {
  check_time(claims.expires);
  check_time(claims.not_before);
  check_time(claims.issued_at);
  require(claims.details.size() <= kDetailsMax);
  for (const Detail& detail : claims.details) {
    require(!detail.topics.empty() && detail.topics.size() <= kMatchersMax);
    for (const TopicMatcher& topic : detail.topics) {
      require(topic.text.size() <= kMatcherBytesMax);
      require(topic.kind != TopicMatcher::Kind::kAll || topic.text.empty());
      require((topic.kind != TopicMatcher::Kind::kUriTemplate) ||
              claims.form == TokenForm::kMercureClaim);
    }
  }
}

void check(std::string_view payload) {
  const auto access = parse_claims(payload, "at+jwt", false);
  const auto both = parse_claims(payload, "at+jwt", true);
  require(access.has_value() == both.has_value() && (!access || *access == *both));
  if (access) {
    require(access->form == TokenForm::kAccessToken);
    check_claims(*access);
  }
  const auto former = parse_claims(payload, std::nullopt, true);
  if (former) {
    require(former->form == TokenForm::kMercureClaim);
    check_claims(*former);
  }
  require(!parse_claims(payload, "JWT", false));
}

}  // namespace
}  // namespace vrelo::auth

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* input, std::size_t size) {
  vrelo::auth::check({reinterpret_cast<const char*>(input), size});
  return 0;
}
