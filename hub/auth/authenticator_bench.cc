// SPDX-License-Identifier: Apache-2.0
#include "hub/auth/authenticator.h"

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <benchmark/benchmark.h>

#include "hub/auth/token_testing.h"
#include "hub/base/clock.h"

namespace vrelo::auth {
namespace {

using testing::Issuers;
using testing::make_token;
using testing::SigningKey;

const std::string& details() {
  static const std::string text = Issuers::detail(
      R"("actions":["publish"],"topics":[{"match":"https://shop.example/orders/1"}])");
  return text;
}

std::string header(Algorithm algorithm) {
  return R"({"typ":"at+jwt","alg":")" + std::string(name_of(algorithm)) + R"("})";
}

// A publisher's token, which nobody has seen before.
void verify(benchmark::State& state, Algorithm algorithm) {
  const SigningKey key(algorithm);
  const std::vector<Issuer> issuers{{.name = "https://app.example",
                                     .roles = {Role::kPublish},
                                     .keys = {{.key = key.verifying()}}}};
  const std::string token = make_token(header(algorithm), Issuers::payload(details()), key);
  const TokenRules rules = Issuers::rules();
  for (auto _ : state) {
    auto verified = verify_token(token, Role::kPublish, issuers, rules, Issuers::kNow);
    if (!verified) {
      state.SkipWithError("refused");
      break;
    }
    benchmark::DoNotOptimize(verified);
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK_CAPTURE(verify, HS256, Algorithm::kHs256);
BENCHMARK_CAPTURE(verify, RS256, Algorithm::kRs256);
BENCHMARK_CAPTURE(verify, PS256, Algorithm::kPs256);
BENCHMARK_CAPTURE(verify, ES256, Algorithm::kEs256);
BENCHMARK_CAPTURE(verify, ES384, Algorithm::kEs384);
BENCHMARK_CAPTURE(verify, EdDSA, Algorithm::kEdDsa);

// A token that came before.
void remember(benchmark::State& state) {
  const SigningKey key(Algorithm::kEs256);
  const base::SystemClock clock;
  const auto policy = std::make_shared<const TrustPolicy>(
      TrustPolicy{.issuers = {{.name = "https://app.example",
                               .roles = {Role::kPublish},
                               .keys = {{.key = key.verifying()}}}},
                  .token_rules = Issuers::rules()});
  Quotas quotas(clock);
  Authenticator authenticator(
      policy, [](const TopicMatcher&) { return nullptr; }, clock, quotas);
  const std::string payload =
      R"({"iss":"https://app.example","aud":"http://hub.internal/","exp":9007199254740992})";
  const std::string field = "Bearer " + make_token(header(Algorithm::kEs256), payload, key);
  const std::vector<std::string_view> fields{field};
  for (auto _ : state) {
    auto authorization = authenticator.authorize({.authorization_fields = fields}, Role::kPublish);
    if (!authorization) {
      state.SkipWithError("refused");
      break;
    }
    benchmark::DoNotOptimize(authorization);
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(remember);

}  // namespace
}  // namespace vrelo::auth
