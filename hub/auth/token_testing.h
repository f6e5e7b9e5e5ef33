// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "hub/auth/issuer.h"
#include "hub/auth/signing_testing.h"

namespace vrelo::auth::testing {

// Two issuers, for tests. All their tokens end at kExpiry.
//
// https://app.example has one key for all roles but admin, and one for subscribers alone; its
// secret serves tokens of 0.x too. https://other.example has a key of its own.
struct Issuers {
  static constexpr NumericDate kNow{1'000'000};
  static constexpr NumericDate kExpiry{1'000'600};
  static constexpr std::string_view kHub = "https://hub.example/.well-known/mercure";

  SigningKey app{Algorithm::kEs256};
  SigningKey rsa{Algorithm::kRs256};
  SigningKey secret{Algorithm::kHs256};
  SigningKey subscribers{Algorithm::kEs256};
  SigningKey other{Algorithm::kEs256};

  std::vector<Issuer> all() const {
    const std::vector<Role> both{Role::kPublish, Role::kSubscribe};
    return {
        {.name = "https://app.example",
         .roles = both,
         .keys = {{.kid = "app", .key = app.verifying()}, {.kid = "rsa", .key = rsa.verifying()}}},
        {.name = "https://app.example",
         .roles = {Role::kSubscribe},
         .keys = {{.kid = "subscribers", .key = subscribers.verifying()}}},
        {.name = "https://other.example",
         .roles = both,
         .algorithms = {Algorithm::kEs256},
         .keys = {{.kid = "other", .key = other.verifying()},
                  {.kid = "spare", .key = rsa.verifying()}}},
        {.name = "https://app.example",
         .roles = both,
         .keys = {{.key = secret.verifying()}},
         .takes_mercure_claim = true},
    };
  }

  static TokenRules rules() { return {.audiences = {std::string(kHub), "http://hub.internal/"}}; }

  static constexpr std::string_view kHeader = R"({"typ":"at+jwt","alg":"ES256","kid":"app"})";

  // The payload of a token that is as it should be, with `details` as its authorization_details and
  // `more`, as in ",\"sub\":\"x\"", at its end.
  static std::string payload(std::string_view details = "[]", std::string_view more = "") {
    return fmt::format(
        R"({{"iss":"https://app.example","aud":"{}","exp":1000600,"authorization_details":{}{}}})",
        kHub, details, more);
  }

  // One detail of a payload.
  static std::string detail(std::string_view members) {
    return fmt::format(R"([{{"type":"https://mercure.rocks/authorization-detail",{}}}])", members);
  }
};

}  // namespace vrelo::auth::testing
