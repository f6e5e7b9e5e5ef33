// SPDX-License-Identifier: Apache-2.0
#include "hub/auth/algorithm.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <cstddef>

namespace vrelo::auth {
namespace {

struct Row {
  Algorithm algorithm;
  std::string_view name;
  KeyKind kind;
};

constexpr std::array<Row, 13> kRows{{
    {Algorithm::kHs256, "HS256", KeyKind::kSecret},
    {Algorithm::kHs384, "HS384", KeyKind::kSecret},
    {Algorithm::kHs512, "HS512", KeyKind::kSecret},
    {Algorithm::kRs256, "RS256", KeyKind::kRsa},
    {Algorithm::kRs384, "RS384", KeyKind::kRsa},
    {Algorithm::kRs512, "RS512", KeyKind::kRsa},
    {Algorithm::kPs256, "PS256", KeyKind::kRsa},
    {Algorithm::kPs384, "PS384", KeyKind::kRsa},
    {Algorithm::kPs512, "PS512", KeyKind::kRsa},
    {Algorithm::kEs256, "ES256", KeyKind::kEllipticCurve},
    {Algorithm::kEs384, "ES384", KeyKind::kEllipticCurve},
    {Algorithm::kEs512, "ES512", KeyKind::kEllipticCurve},
    {Algorithm::kEdDsa, "EdDSA", KeyKind::kEd25519},
}};

const Row& row_of(Algorithm algorithm) {
  const Row& row = kRows.at(static_cast<std::size_t>(algorithm));
  assert(row.algorithm == algorithm);
  return row;
}

}  // namespace

std::optional<Algorithm> parse_algorithm(std::string_view name) {
  const auto* const found =
      std::find_if(kRows.begin(), kRows.end(), [name](const Row& row) { return row.name == name; });
  return found == kRows.end() ? std::nullopt : std::optional(found->algorithm);
}

std::string_view name_of(Algorithm algorithm) {
  return row_of(algorithm).name;
}

KeyKind kind_of(Algorithm algorithm) {
  return row_of(algorithm).kind;
}

}  // namespace vrelo::auth
