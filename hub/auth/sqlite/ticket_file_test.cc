// SPDX-License-Identifier: Apache-2.0
#include "hub/auth/sqlite/ticket_file.h"

#include <filesystem>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "hub/auth/sqlite/auth_file.h"
#include "hub/auth/sqlite/revocation_file.h"
#include "hub/auth/sqlite/ticket_file_testing.h"
#include "hub/auth/ticket_testing.h"

namespace vrelo::auth::sqlite {
namespace {

using TicketFileTest = TicketFileTesting;

TEST_F(TicketFileTest, is_not_made_before_there_is_a_ticket) {
  const KeptTickets first = kept();
  EXPECT_TRUE(first.tickets.empty());
  EXPECT_NE(first.keeper, nullptr);
  EXPECT_FALSE(std::filesystem::exists(auth_file_of(log_file_)));
}

TEST_F(TicketFileTest, keeps_nothing_beside_a_log_in_memory) {
  const auto none = keep_tickets("");
  ASSERT_TRUE(none);
  EXPECT_EQ(none->keeper, nullptr);
}

TEST_F(TicketFileTest, keeps_tickets_used_and_unused) {
  auto terms = test_terms();
  terms->query = "match=%ff\xff";
  terms->label = "tab 1";
  terms->key_print = test_digest(9);
  terms->minted_at = NumericDate(1.5);
  terms->epoch = ~std::uint64_t{0};
  const TicketRecord unused{.terms = terms, .ticket_end = StoreTime(31'000)};
  const TicketRecord used{.terms = test_terms("tom", "s2"),
                          .ticket_end = StoreTime(32'000),
                          .token_end = StoreTime(40'000),
                          .session = TicketRecord::Session{.secret = test_digest(3),
                                                           .first_request = test_digest(4),
                                                           .grace_end = StoreTime(11'000),
                                                           .end = StoreTime(40'000),
                                                           .presented = 6,
                                                           .given = 7}};
  const std::vector<TicketBook::Change> changes = {{test_digest(1), &unused},
                                                   {test_digest(2), &used}};
  ASSERT_TRUE(kept().keeper->keep(changes, StoreTime(5000)));

  KeptTickets again = kept();
  EXPECT_EQ(again.last, StoreTime(5000));
  ASSERT_EQ(again.tickets.size(), 2);
  for (const auto& [hash, record] : again.tickets) {
    const TicketRecord& wanted = hash == test_digest(1) ? unused : used;
    EXPECT_EQ(*record.terms, *wanted.terms);
    EXPECT_EQ(record.ticket_end, wanted.ticket_end);
    EXPECT_EQ(record.token_end, wanted.token_end);
    ASSERT_EQ(record.session.has_value(), wanted.session.has_value());
    if (wanted.session) {
      EXPECT_EQ(record.session->secret, wanted.session->secret);
      EXPECT_EQ(record.session->first_request, wanted.session->first_request);
      EXPECT_EQ(record.session->grace_end, wanted.session->grace_end);
      EXPECT_EQ(record.session->end, wanted.session->end);
      EXPECT_EQ(record.session->presented, 6);
      EXPECT_EQ(record.session->given, 7);
    }
  }

  ASSERT_TRUE(again.keeper->keep(
      std::vector<TicketBook::Change>{{test_digest(1), &used}, {test_digest(2), nullptr}},
      StoreTime(6000)));
  again = kept();
  ASSERT_EQ(again.tickets.size(), 1);
  EXPECT_TRUE(again.tickets[0].second.session);
  EXPECT_EQ(again.last, StoreTime(6000));
}

TEST_F(TicketFileTest, shares_its_file_with_what_is_revoked) {
  const TicketRecord unused{.terms = test_terms(), .ticket_end = StoreTime(31'000)};
  KeptTickets open = kept();
  ASSERT_TRUE(open.keeper->keep(std::vector<TicketBook::Change>{{test_digest(1), &unused}}, {}));
  const Revocation revocation{"a", Revocation::Kind::kLabel, "tab", NumericDate(1)};
  ASSERT_TRUE(keep_revocations(log_file_)->keep(revocation, {}));
  ASSERT_TRUE(open.keeper->keep(std::vector<TicketBook::Change>{{test_digest(2), &unused}}, {}));
  EXPECT_THAT(keep_revocations(log_file_)->revocations, ::testing::ElementsAre(revocation));
  EXPECT_EQ(kept().tickets.size(), 2);
}

TEST_F(TicketFileTest, is_made_of_a_file_that_had_revocations_alone) {
  const std::string file = auth_file_of(log_file_);
  {
    auto old = *base::sqlite::Connection::open(
        file, {.access = base::sqlite::ConnectionOptions::Access::kCreate});
    ASSERT_TRUE(old.execute(
        "PRAGMA application_id = 1987207541; PRAGMA user_version = 1; CREATE TABLE revocations"
        " (issuer BLOB NOT NULL, kind INTEGER NOT NULL, name BLOB NOT NULL, at INTEGER NOT NULL,"
        " until INTEGER NOT NULL, PRIMARY KEY (issuer, kind, name)) WITHOUT ROWID, STRICT;"
        "INSERT INTO revocations VALUES (x'61', 1, x'62', 1000, 0)"));
  }
  EXPECT_TRUE(kept().tickets.empty());
  EXPECT_EQ(keep_revocations(log_file_)->revocations.size(), 1);
}

TEST_F(TicketFileTest, opens_its_file_anew_after_an_error) {
  const TicketRecord unused{.terms = test_terms(), .ticket_end = StoreTime(31'000)};
  const std::vector<TicketBook::Change> changes = {{test_digest(1), &unused}};
  std::filesystem::create_directory(auth_file_of(log_file_));
  // There is no way to open a folder.
  EXPECT_FALSE(keep_tickets(log_file_));
  std::filesystem::remove(auth_file_of(log_file_));
  KeptTickets open = kept();
  std::filesystem::create_directory(auth_file_of(log_file_));
  EXPECT_FALSE(open.keeper->keep(changes, {}));
  std::filesystem::remove(auth_file_of(log_file_));
  EXPECT_TRUE(open.keeper->keep(changes, {}));
  EXPECT_EQ(kept().tickets.size(), 1);
}

}  // namespace
}  // namespace vrelo::auth::sqlite
