// SPDX-License-Identifier: Apache-2.0
//
// Tickets on a disk that fails: what keep() has returned for is there after a restart, and a used
// ticket is never unused again.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "hub/auth/sqlite/auth_file.h"
#include "hub/auth/sqlite/revocation_file.h"
#include "hub/auth/sqlite/ticket_file_testing.h"
#include "hub/auth/ticket_testing.h"
#include "hub/base/sqlite/faulty_vfs_testing.h"

namespace vrelo::auth::sqlite {
namespace {

using base::sqlite::FaultyVfs;
using Call = FaultyVfs::Call;

bool is_wal_sync(Call call, std::string_view file) {
  return call == Call::kSync && file.ends_with("-wal");
}

bool is_change(Call call, std::string_view /*file*/) {
  return call == Call::kWrite || call == Call::kTruncate || call == Call::kShmMap;
}

bool is_any(Call /*call*/, std::string_view /*file*/) {
  return true;
}

class TicketFaultTest : public TicketFileTesting {
 protected:
  bool keeps(TicketKeeper& keeper, const TicketRecord& record) const {
    const std::vector<TicketBook::Change> changes = {{test_digest(1), &record}};
    return keeper.keep(changes, StoreTime(5000)).has_value();
  }

  bool is_used() const {
    const KeptTickets now = kept();
    EXPECT_EQ(now.tickets.size(), 1);
    return !now.tickets.empty() && now.tickets[0].second.session.has_value();
  }

  const TicketRecord unused_{.terms = test_terms(), .ticket_end = StoreTime(31'000)};
  const TicketRecord used_{.terms = test_terms(),
                           .ticket_end = StoreTime(31'000),
                           .session = TicketRecord::Session{.secret = test_digest(3),
                                                            .first_request = test_digest(4),
                                                            .grace_end = StoreTime(11'000),
                                                            .end = StoreTime(40'000),
                                                            .given = 1}};
  FaultyVfs disk_{FaultyVfs::Use::kByDefault};
};

TEST_F(TicketFaultTest, syncs_before_it_says_that_something_is_kept) {
  const KeptTickets open = kept();
  ASSERT_TRUE(keeps(*open.keeper, unused_));
  disk_.fail({.matches = is_wal_sync, .failing = 0});
  ASSERT_TRUE(keeps(*open.keeper, used_));
  EXPECT_GE(disk_.matched(), 1);
}

TEST_F(TicketFaultTest, says_so_when_a_sync_fails) {
  const KeptTickets open = kept();
  ASSERT_TRUE(keeps(*open.keeper, unused_));
  disk_.fail({.matches = is_wal_sync, .failing = 1, .drops_unsynced = true});
  EXPECT_FALSE(keeps(*open.keeper, used_));
  EXPECT_EQ(disk_.failed(), 1);
  EXPECT_TRUE(keeps(*open.keeper, used_)) << "the file is opened anew";
  EXPECT_TRUE(is_used());
}

TEST_F(TicketFaultTest, is_read_at_a_start_on_a_full_disk) {
  ASSERT_TRUE(keeps(*kept().keeper, used_));
  const Revocation revocation{"issuer", Revocation::Kind::kToken, "t", NumericDate(1)};
  ASSERT_TRUE(keep_revocations(log_file_)->keep(revocation, {}));
  disk_.fail({.matches = is_change, .result_code = SQLITE_FULL});
  EXPECT_TRUE(is_used());
  EXPECT_EQ(keep_revocations(log_file_)->revocations, std::vector{revocation});
  const KeptTickets open = kept();
  EXPECT_FALSE(keeps(*open.keeper, unused_));
  EXPECT_FALSE(keep_revocations(log_file_)->keep(revocation, {}));
  disk_.heal();
  EXPECT_TRUE(keeps(*open.keeper, used_));
  EXPECT_TRUE(is_used());
}

class TicketFaultAtEachCallTest : public TicketFaultTest,
                                  public ::testing::WithParamInterface<bool> {};
INSTANTIATE_TEST_SUITE_P(AndTheSystem,
                         TicketFaultAtEachCallTest,
                         ::testing::Bool(),
                         [](const auto& drops) { return drops.param ? "drops" : "keeps"; });

TEST_P(TicketFaultAtEachCallTest, keeps_a_used_ticket_used_or_says_that_it_may_not_be) {
  std::uint64_t skipped = 0;
  for (std::uint64_t failed = 1; failed > 0; ++skipped) {
    SCOPED_TRACE(skipped);
    remove();
    ASSERT_TRUE(keeps(*kept().keeper, unused_));
    const KeptTickets open = kept();
    disk_.fail({.matches = is_any, .skipped = skipped, .failing = 1, .drops_unsynced = GetParam()});
    const bool is_kept = keeps(*open.keeper, used_);
    failed = disk_.failed();
    disk_.heal();
    const bool was_used = is_used();
    EXPECT_TRUE(was_used || !is_kept);
    ASSERT_TRUE(keeps(*open.keeper, used_));
    EXPECT_TRUE(is_used());
  }
  EXPECT_GT(skipped, 10) << "calls that one commit takes, with the opening of its file";
}

}  // namespace
}  // namespace vrelo::auth::sqlite
