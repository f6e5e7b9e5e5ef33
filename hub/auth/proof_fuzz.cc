// SPDX-License-Identifier: Apache-2.0
//
// The input is an id as a reader sends it. Properties: splitting loses nothing, and takes off what
// was put on and no more; only what was made with the secret proves anything, and each turn has one
// text.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "hub/auth/proof.h"

namespace vrelo::auth {
namespace {

void require(bool holds) {
  if (!holds) {
    std::abort();
  }
}

void check(std::string_view id) {
  const Digest secret = sha256("secret");
  const SplitId split = split_proof(id);
  require(std::string(split.id) + std::string(split.proof) == id);
  require(split.proof.empty() || split.proof.size() == kProofBytes);
  if (const auto turn = proven_turn(split.proof, secret, "session")) {
    require(make_proof(secret, "session", *turn) == split.proof);
  }
  const auto turn = static_cast<std::uint32_t>(id.size()) & kTurnMax;
  const std::string proof = make_proof(secret, "session", turn);
  const std::string extended = std::string(id) + proof;
  const SplitId again = split_proof(extended);
  require(again.id == id && again.proof == proof);
  require(proven_turn(proof, secret, "session") == turn);
  require(!proven_turn(proof, sha256("another"), "session"));
  require(!proven_turn(id, secret, "session") || id.size() == kProofBytes);
}

}  // namespace
}  // namespace vrelo::auth

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* input, std::size_t size) {
  vrelo::auth::check({reinterpret_cast<const char*>(input), size});
  return 0;
}
