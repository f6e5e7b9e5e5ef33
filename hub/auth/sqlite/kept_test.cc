// SPDX-License-Identifier: Apache-2.0
#include "hub/auth/sqlite/kept.h"

#include <gtest/gtest.h>

#include "hub/auth/sqlite/ticket_file_testing.h"

namespace vrelo::auth::sqlite {
namespace {

using KeptTest = TicketFileTesting;

TEST_F(KeptTest, has_tickets_go_on_after_each_revocation_that_is_by_their_clock) {
  auto first = keep_beside(log_file_);
  ASSERT_TRUE(first);
  EXPECT_EQ(first->tickets.last, StoreTime(0));
  Revocation revocation{.issuer = "https://app.example",
                        .kind = Revocation::Kind::kLabel,
                        .name = "eva",
                        .at = NumericDate(5000.25),
                        .until = NumericDate(0)};
  ASSERT_TRUE(first->revocations.keep(revocation, {}));
  revocation.kind = Revocation::Kind::kSubject;
  revocation.at = NumericDate(6000);
  ASSERT_TRUE(first->revocations.keep(revocation, {}));

  const auto again = keep_beside(log_file_);
  ASSERT_TRUE(again);
  EXPECT_EQ(again->tickets.last, StoreTime(5'000'251));
}

}  // namespace
}  // namespace vrelo::auth::sqlite
