// SPDX-License-Identifier: Apache-2.0
#include "hub/auth/revocations.h"

#include <memory>
#include <string>
#include <vector>

#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include "hub/auth/authenticator.h"
#include "hub/auth/token_testing.h"

namespace vrelo::auth {
namespace {

using testing::Issuers;
using testing::SigningKey;

// The tokens of many readers, by one key of their issuer's.
std::vector<std::shared_ptr<const VerifiedToken>> readers(const NamedKey& key, std::size_t count) {
  std::vector<std::shared_ptr<const VerifiedToken>> tokens;
  for (std::size_t i = 0; i < count; ++i) {
    tokens.push_back(std::make_shared<const VerifiedToken>(
        VerifiedToken{.issuer_name = "https://app.example",
                      .kid = key.kid,
                      .key = key.key,
                      .claims = {.issuer = "https://app.example",
                                 .subject = fmt::format("https://app.example/people/{}", i),
                                 .token_id = fmt::format("d0c1f1a4-0000-4000-8000-{:012}", i),
                                 .issued_at = Issuers::kNow}}));
  }
  return tokens;
}

// What a shard does with all of its streams when something is revoked, or a key changes.
void judge_all_streams(benchmark::State& state) {
  const Issuers issuers;
  TrustPolicy trust;
  trust.issuers = issuers.all();
  for (int i = 0; i < state.range(2); ++i) {
    trust.issuers[0].keys.push_back(
        {.kid = fmt::format("more-{}", i), .key = SigningKey(Algorithm::kEs256).verifying()});
  }
  const auto tokens =
      readers(trust.issuers[0].keys.back(), static_cast<std::size_t>(state.range(0)));
  std::vector<Revocation> all;
  for (int i = 0; i < state.range(1); ++i) {
    all.push_back({.issuer = "https://app.example",
                   .kind = i % 2 == 0 ? Revocation::Kind::kToken : Revocation::Kind::kSubject,
                   .name = fmt::format("d0c1f1a4-0000-4000-9000-{:012}", i),
                   .at = Issuers::kNow});
  }
  trust.revocations = std::make_shared<const Revocations>(all, base::Clock::Steady());
  for (auto _ : state) {
    for (const auto& token : tokens) {
      const bool is_good = !trust.is_revoked(*token, Issuers::kNow) &&
                           is_trusted(*token, Role::kSubscribe, trust.issuers);
      benchmark::DoNotOptimize(is_good);
    }
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(judge_all_streams)
    ->ArgNames({"streams", "revocations", "more_keys"})
    ->Args({15'000, 0, 0})
    ->Args({15'000, 10'000, 0})
    ->Args({1'500, 0, 100})
    ->Args({1'500, 10'000, 100})
    ->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace vrelo::auth
