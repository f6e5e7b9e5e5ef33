// SPDX-License-Identifier: Apache-2.0
#include "hub/api/revocation_request.h"

#include <string>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "hub/api/request_testing.h"

namespace vrelo::api {
namespace {

using auth::NumericDate;

constexpr NumericDate kNow{1000};

auth::TrustPolicy trust() {
  auth::TrustPolicy trust;
  trust.issuers = {{.name = "brief", .token_lifetime = NumericDate(600)},
                   {.name = "any"},
                   {.name = "mixed", .token_lifetime = NumericDate(600)},
                   {.name = "mixed", .token_lifetime = NumericDate(900)}};
  trust.token_rules.leeway = NumericDate(5);
  return trust;
}

// When all that `form` revokes has ended.
NumericDate until(const std::string& form) {
  const TestRequest request(publish_parts(form));
  const auto revocation = read_revocation(*request, trust(), kNow);
  EXPECT_TRUE(revocation);
  return revocation ? revocation->until : NumericDate(-1);
}

TEST(RevocationRequest, holds_until_the_last_token_of_its_time_has_ended) {
  // Made by a clock that is 5 s ahead, and taken until 5 s after its end.
  EXPECT_EQ(until("issuer=brief&token=t1"), NumericDate(1610));
  EXPECT_EQ(until("issuer=brief&subject=eva"), NumericDate(1610));
  EXPECT_EQ(until("issuer=brief&label=tab"), NumericDate(1610));
  EXPECT_EQ(until("issuer=mixed&token=t1"), NumericDate(1910));
  EXPECT_EQ(until("issuer=any&token=t1"), NumericDate(0)) << "for ever";
}

TEST(RevocationRequest, holds_for_ever_where_it_is_of_a_key) {
  EXPECT_EQ(until("issuer=brief&key=k1"), NumericDate(0)) << "the key may still be in its file";
}

}  // namespace
}  // namespace vrelo::api
