// SPDX-License-Identifier: Apache-2.0
//
// Properties: a token that is read is the only way to write what was read of it; none is true that
// its key did not sign.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "hub/auth/base64url.h"
#include "hub/auth/jws.h"

namespace vrelo::auth {
namespace {

void require(bool holds) {
  if (!holds) {
    std::abort();
  }
}

// The seeds are signed with it.
const NamedKey kKey{.kid = "k",
                    .key = *VerifyingKey::make_secret(Algorithm::kHs256, std::string(32, 'k'))};
constexpr std::string_view kPayloads[] = {R"({"iss":"i","exp":1})", ""};

void check(std::string_view token) {
  const auto jws = parse_jws(token);
  if (!jws) {
    require(jws.error() != Errc::kSignatureWrong);
    return;
  }
  require(token.size() <= kTokenBytesMax);
  require(!jws->kid || jws->kid->size() <= kKidBytesMax);
  require(std::string(jws->signed_text) + "." + encode_base64url(jws->signature) == token);
  require(jws->signed_text.ends_with(jws->payload));

  const auto payload = verified_payload(*jws, {&kKey, 1});
  if (payload) {
    require(encode_base64url(*payload) == jws->payload);
    require(*payload == kPayloads[0] || *payload == kPayloads[1]);
  }
}

}  // namespace
}  // namespace vrelo::auth

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* input, std::size_t size) {
  vrelo::auth::check({reinterpret_cast<const char*>(input), size});
  return 0;
}
