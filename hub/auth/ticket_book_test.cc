// SPDX-License-Identifier: Apache-2.0
#include "hub/auth/ticket_book.h"

#include <optional>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "hub/auth/ticket_testing.h"

namespace vrelo::auth {
namespace {

using std::chrono_literals::operator""s;
using std::chrono_literals::operator""ms;
using std::chrono_literals::operator""min;
using std::chrono_literals::operator""h;
using Opened = TicketBook::Opened;
using Refusal = TicketBook::Refusal;

// A book, a virtual clock, and one page that has a ticket.
class TicketBookTest : public ::testing::Test {
 protected:
  auto mint(int number,
            std::string subject = "eva",
            std::chrono::milliseconds ttl = 30s,
            std::optional<StoreTime> token_end = {}) {
    return book.mint(now, {.hash = test_digest(number),
                           .terms = test_terms(std::move(subject), std::to_string(number)),
                           .ttl = ttl,
                           .token_end = token_end});
  }

  bool is_minted(int number, std::string subject = "eva") {
    return std::holds_alternative<TicketBook::Minted>(mint(number, std::move(subject)));
  }

  // The request of a page: all of one page look alike.
  TicketBook::Attempt attempt(std::string proof = "", int page = 100) const {
    return {.hash = test_digest(1),
            .epoch = 1,
            .proof = std::move(proof),
            .request = test_digest(page),
            .secret = test_digest(200),
            .shard = 0};
  }

  // Returns what opened, with turn 0 for what did not.
  Opened open(const TicketBook::Attempt& wanted) {
    const auto outcome = book.redeem(now, wanted);
    const auto* const opened = std::get_if<Opened>(&outcome);
    return opened == nullptr ? Opened{} : *opened;
  }

  std::optional<Refusal> refusal(const TicketBook::Attempt& wanted) {
    const auto outcome = book.redeem(now, wanted);
    const auto* const refused = std::get_if<TicketBook::Refused>(&outcome);
    return refused == nullptr ? std::nullopt : std::optional(refused->why);
  }

  StoreTime now{1'000'000};
  TicketBook book{{}};
};

TEST_F(TicketBookTest, opens_one_session_for_a_ticket) {
  ASSERT_TRUE(is_minted(1));
  const Opened first = open(attempt());
  EXPECT_EQ(first.turn, 1);
  EXPECT_TRUE(first.is_first);
  EXPECT_EQ(first.end, now + 1h - kSessionMargin);
  EXPECT_EQ(split_proof("id" + first.proof).id, "id");
  EXPECT_EQ(refusal(attempt("", 101)), Refusal::kUsed);
}

TEST_F(TicketBookTest, refuses_tickets_that_it_does_not_have_or_whose_time_is_over) {
  EXPECT_EQ(refusal(attempt()), Refusal::kUnknown);
  EXPECT_EQ(book.find(now, test_digest(1)), nullptr);
  ASSERT_TRUE(is_minted(1));
  EXPECT_NE(book.find(now, test_digest(1)), nullptr);
  now += 30s;
  EXPECT_EQ(book.find(now, test_digest(1)), nullptr);
  EXPECT_EQ(refusal(attempt()), Refusal::kUnknown);
  EXPECT_EQ(book.size(), 0);
  EXPECT_EQ(book.bytes(), 0);
}

TEST_F(TicketBookTest, refuses_tickets_of_another_epoch) {
  ASSERT_TRUE(is_minted(1));
  TicketBook::Attempt later = attempt();
  later.epoch = 2;
  EXPECT_EQ(refusal(later), Refusal::kOtherEpoch);
  EXPECT_EQ(open(attempt()).turn, 1);
}

TEST_F(TicketBookTest, says_how_long_ticket_and_session_last) {
  const auto lasting = std::get<TicketBook::Minted>(mint(1));
  EXPECT_EQ(lasting.expires_in, 30s);
  EXPECT_EQ(lasting.session_expires_in, 1h);
  const auto short_token = std::get<TicketBook::Minted>(mint(2, "eva", 30s, now + 10s));
  EXPECT_EQ(short_token.expires_in, 10s);
  EXPECT_EQ(short_token.session_expires_in, 10s);
}

TEST_F(TicketBookTest, mints_and_counts_nothing_for_a_token_with_which_no_session_would_open) {
  book.set_limits({.minted_max = 1});
  for (const StoreTime end : {now - 4s, now, now + kSessionMargin}) {
    EXPECT_TRUE(std::holds_alternative<TicketBook::TokenOver>(mint(1, "eva", 30s, end)));
  }
  EXPECT_EQ(refusal(attempt()), Refusal::kUnknown);
  EXPECT_FALSE(book.has_changes());
  EXPECT_TRUE(
      std::holds_alternative<TicketBook::Minted>(mint(1, "eva", 30s, now + kSessionMargin + 1ms)));
  EXPECT_TRUE(open(attempt()).is_first);
}

TEST_F(TicketBookTest, ends_a_session_with_its_token) {
  const StoreTime end = now + 5min - kSessionMargin;
  mint(1, "eva", 30s, now + 5min);
  now += 10s;
  const Opened first = open(attempt());
  EXPECT_EQ(first.end, end);
  now += 5min - 10s - kSessionMargin - 1ms;
  const Opened last = open(attempt(first.proof));
  EXPECT_EQ(last.end, end);
  now += 1ms;
  EXPECT_EQ(refusal(attempt(last.proof)), Refusal::kUnknown) << "as soon as its stream has ended";
}

TEST_F(TicketBookTest, opens_no_session_that_is_over_at_once) {
  ASSERT_TRUE(std::holds_alternative<TicketBook::Minted>(mint(1, "eva", 30s, now + 10s)));
  now += 10s - kSessionMargin;
  EXPECT_EQ(refusal(attempt()), Refusal::kUnknown);
}

TEST_F(TicketBookTest, gives_each_connection_the_next_turn_and_replaces_the_older_one) {
  ASSERT_TRUE(is_minted(1));
  const Opened first = open(attempt());
  TicketBook::Attempt again = attempt(first.proof);
  again.shard = 3;
  const Opened second = open(again);
  EXPECT_EQ(second.turn, 2);
  EXPECT_FALSE(second.is_first);
  ASSERT_TRUE(second.replaced);
  EXPECT_EQ(second.replaced->shard, 0);
  EXPECT_EQ(second.replaced->turn, 1);
  const Opened third = open(attempt(second.proof));
  EXPECT_EQ(third.turn, 3);
  EXPECT_EQ(third.replaced->shard, 3);
  book.leave(now, test_digest(1), 3);
  EXPECT_FALSE(open(attempt(third.proof)).replaced);
}

TEST_F(TicketBookTest, takes_the_turn_last_presented_whose_answer_was_lost) {
  ASSERT_TRUE(is_minted(1));
  const Opened first = open(attempt());
  EXPECT_EQ(open(attempt(first.proof)).turn, 2);
  EXPECT_EQ(open(attempt(first.proof)).turn, 3);
  const Opened fourth = open(attempt(first.proof));
  EXPECT_EQ(fourth.turn, 4);
  EXPECT_EQ(open(attempt(fourth.proof)).turn, 5);
}

TEST_F(TicketBookTest, ends_a_session_whose_proof_two_clients_have) {
  ASSERT_TRUE(is_minted(1));
  const Opened first = open(attempt());
  const Opened second = open(attempt(first.proof));
  const Opened third = open(attempt(second.proof));
  const auto outcome = book.redeem(now, attempt(first.proof));
  const auto* const refused = std::get_if<TicketBook::Refused>(&outcome);
  ASSERT_NE(refused, nullptr);
  EXPECT_EQ(refused->why, Refusal::kCopied);
  ASSERT_TRUE(refused->ended);
  EXPECT_EQ(refused->ended->turn, 3);
  EXPECT_EQ(refusal(attempt(third.proof)), Refusal::kUnknown);
}

TEST_F(TicketBookTest, takes_a_later_turn_where_the_record_is_behind) {
  ASSERT_TRUE(is_minted(1));
  TicketRecord kept = *book.changes()[0].record;
  open(attempt());
  kept = *book.changes()[0].record;
  const std::string fifth = make_proof(kept.session->secret, "1", 5);

  TicketBook after_crash{{}};
  after_crash.restore(now, test_digest(1), kept);
  const auto outcome = after_crash.redeem(now, attempt(fifth));
  EXPECT_EQ(std::get<Opened>(outcome).turn, 6);
  EXPECT_FALSE(std::get<Opened>(outcome).replaced);
}

TEST_F(TicketBookTest, takes_no_proof_of_another_session) {
  ASSERT_TRUE(is_minted(1));
  const Opened first = open(attempt());
  now += 10s;  // no grace
  EXPECT_EQ(refusal(attempt(make_proof(test_digest(1), "1", 1))), Refusal::kUsed);
  EXPECT_EQ(refusal(attempt(make_proof(test_digest(200), "2", 1))), Refusal::kUsed);
  EXPECT_EQ(refusal(attempt("~")), Refusal::kUsed);
  EXPECT_EQ(open(attempt(first.proof)).turn, 2);
}

TEST_F(TicketBookTest, lets_the_same_request_in_again_while_there_is_grace) {
  ASSERT_TRUE(is_minted(1));
  open(attempt());
  book.leave(now, test_digest(1), 1);
  EXPECT_EQ(refusal(attempt("", 101)), Refusal::kUsed) << "another request";
  now += 9s;
  const Opened again = open(attempt());
  EXPECT_EQ(again.turn, 2);
  EXPECT_FALSE(again.is_first);
  book.leave(now, test_digest(1), 2);
  EXPECT_EQ(open(attempt()).turn, 3) << "as often as it takes";
  book.leave(now, test_digest(1), 3);
  now += 1s;
  EXPECT_EQ(refusal(attempt()), Refusal::kUsed) << "from the redeeming on";
}

TEST_F(TicketBookTest, gives_no_grace_once_a_proof_was_seen) {
  ASSERT_TRUE(is_minted(1));
  const Opened first = open(attempt());
  const Opened second = open(attempt(first.proof));
  book.leave(now, test_digest(1), second.turn);
  EXPECT_EQ(refusal(attempt()), Refusal::kUsed);
}

TEST_F(TicketBookTest, gives_no_grace_where_there_shall_be_none) {
  book.set_limits({.grace = 0ms});
  ASSERT_TRUE(is_minted(1));
  open(attempt());
  book.leave(now, test_digest(1), 1);
  EXPECT_EQ(refusal(attempt()), Refusal::kUsed);
}

TEST_F(TicketBookTest, asks_after_the_first_block_before_it_gives_grace) {
  ASSERT_TRUE(is_minted(1));
  TicketBook::Attempt redeeming = attempt();
  redeeming.shard = 2;
  open(redeeming);
  const auto outcome = book.redeem(now, attempt());
  const auto* const ask = std::get_if<TicketBook::Ask>(&outcome);
  ASSERT_NE(ask, nullptr);
  EXPECT_EQ(ask->holder.shard, 2);
  EXPECT_EQ(ask->holder.turn, 1);
  TicketBook::Attempt told = attempt();
  told.unacknowledged = 1;
  EXPECT_EQ(open(told).turn, 2);
  // What was found out about the first connection says nothing of the second.
  EXPECT_TRUE(std::holds_alternative<TicketBook::Ask>(book.redeem(now, told)));
}

TEST_F(TicketBookTest, takes_no_leave_of_an_older_connection_for_that_of_the_session) {
  ASSERT_TRUE(is_minted(1));
  const Opened first = open(attempt());
  const Opened second = open(attempt(first.proof));
  book.leave(now, test_digest(1), first.turn);
  ASSERT_TRUE(open(attempt(second.proof)).replaced);
}

TEST_F(TicketBookTest, ends_a_session_without_a_connection_after_a_while) {
  ASSERT_TRUE(is_minted(1));
  const Opened first = open(attempt());
  now += 30min;
  book.leave(now, test_digest(1), 1);
  now += 15min - 1ms;
  const Opened second = open(attempt(first.proof));
  EXPECT_EQ(second.turn, 2);
  book.leave(now, test_digest(1), 2);
  now += 14min;
  EXPECT_EQ(open(attempt(second.proof)).turn, 3);
  book.leave(now, test_digest(1), 3);
  now += 15min;
  EXPECT_EQ(book.find(now, test_digest(1)), nullptr);
}

TEST_F(TicketBookTest, counts_a_connection_that_ends_after_its_first_block_as_none) {
  ASSERT_TRUE(is_minted(1));
  TicketBook::Attempt redeeming = attempt();
  redeeming.shard.reset();
  const Opened first = open(redeeming);
  EXPECT_EQ(first.turn, 1);
  EXPECT_EQ(open(attempt()).turn, 2) << "grace, without a question";
  now += 15min;
  EXPECT_EQ(book.size(), 1) << "it has a connection";
}

TEST_F(TicketBookTest, lets_the_oldest_unused_ticket_die) {
  book.set_limits({.unused_max = 2});
  for (const int number : {1, 2, 3}) {
    ASSERT_TRUE(is_minted(number));
  }
  ASSERT_TRUE(is_minted(4, "tom"));
  EXPECT_EQ(book.find(now, test_digest(1)), nullptr);
  for (const int number : {2, 3, 4}) {
    EXPECT_NE(book.find(now, test_digest(number)), nullptr) << number;
  }
}

TEST_F(TicketBookTest, does_not_count_used_tickets_among_the_unused) {
  book.set_limits({.unused_max = 1});
  ASSERT_TRUE(is_minted(1));
  const Opened first = open(attempt());
  ASSERT_TRUE(is_minted(2));
  ASSERT_TRUE(is_minted(3));
  EXPECT_EQ(open(attempt(first.proof)).turn, 2);
}

TEST_F(TicketBookTest, mints_so_many_a_minute_for_each_subject) {
  book.set_limits({.minted_max = 2});
  EXPECT_TRUE(is_minted(1));
  now += 20s;
  EXPECT_TRUE(is_minted(2));
  const auto third = mint(3);
  ASSERT_TRUE(std::holds_alternative<TicketBook::TooMany>(third));
  EXPECT_EQ(std::get<TicketBook::TooMany>(third).retry, 40s);
  EXPECT_TRUE(is_minted(3, "tom"));
  now += 40s;
  EXPECT_TRUE(is_minted(4));
}

TEST_F(TicketBookTest, holds_no_more_than_fits) {
  ASSERT_TRUE(is_minted(1));
  book.set_limits({.bytes_max = 2 * book.bytes()});
  ASSERT_TRUE(is_minted(2, "tom"));
  EXPECT_TRUE(std::holds_alternative<TicketBook::Full>(mint(3, "ann")));
  now += 30s;
  EXPECT_TRUE(is_minted(4, "ann"));
}

TEST_F(TicketBookTest, gives_a_subject_no_more_than_it_leaves_free) {
  ASSERT_TRUE(is_minted(1));
  book.set_limits({.bytes_max = 12 * book.bytes() + 100});
  // Used ones count: they stay, and a subject may open many sessions.
  const auto open_all = [this](int first, const std::string& subject) {
    int count = 0;
    for (; is_minted(first + count, subject); ++count) {
      TicketBook::Attempt redeeming = attempt();
      redeeming.hash = test_digest(first + count);
      EXPECT_TRUE(open(redeeming).is_first);
    }
    return count;
  };
  EXPECT_EQ(open_all(2, "eva"), 5);
  const auto more = mint(10);
  ASSERT_TRUE(std::holds_alternative<TicketBook::TooMany>(more));
  EXPECT_FALSE(std::get<TicketBook::TooMany>(more).retry) << "not with the minute";
  EXPECT_EQ(open_all(20, "tom"), 3);
  EXPECT_EQ(open_all(40, "ann"), 1);
  EXPECT_TRUE(is_minted(60, "kim")) << "others find room all the same";
  now += 15min;
  EXPECT_TRUE(std::holds_alternative<TicketBook::TooMany>(mint(10)));
  EXPECT_EQ(book.size(), 9) << "those that have connections";
  book.leave(now, test_digest(2), 1);
  book.leave(now, test_digest(3), 1);
  now += 15min;
  EXPECT_TRUE(is_minted(10));
}

TEST_F(TicketBookTest, counts_for_a_subject_what_was_kept_and_not_what_was_taken_back) {
  ASSERT_TRUE(is_minted(1));
  const TicketRecord kept = *book.changes()[0].record;
  TicketBook after{{.bytes_max = 4 * book.bytes()}};
  after.restore(now, test_digest(1), kept);
  const TicketBook::Order second{
      .hash = test_digest(2), .terms = test_terms("eva", "2"), .ttl = 30s};
  const auto minted = after.mint(now, second);
  ASSERT_TRUE(std::holds_alternative<TicketBook::Minted>(minted));
  const TicketBook::Order third{
      .hash = test_digest(3), .terms = test_terms("eva", "3"), .ttl = 30s};
  EXPECT_TRUE(std::holds_alternative<TicketBook::TooMany>(after.mint(now, third)));
  after.unmint(test_digest(2), std::get<TicketBook::Minted>(minted));
  EXPECT_TRUE(std::holds_alternative<TicketBook::Minted>(after.mint(now, third)));
}

TEST_F(TicketBookTest, lets_no_ticket_die_for_one_that_does_not_fit) {
  ASSERT_TRUE(is_minted(1));
  book.set_limits({.unused_max = 1, .bytes_max = book.bytes()});
  auto large = test_terms("eva", "2");
  large->query = std::string(1000, 'a');
  EXPECT_TRUE(std::holds_alternative<TicketBook::Full>(
      book.mint(now, {.hash = test_digest(2), .terms = large, .ttl = 30s})));
  EXPECT_NE(book.find(now, test_digest(1)), nullptr);
  EXPECT_TRUE(is_minted(3)) << "in the place of the first";
  EXPECT_EQ(book.find(now, test_digest(1)), nullptr);
}

TEST_F(TicketBookTest, puts_back_what_died_for_a_ticket_that_could_not_be_kept) {
  book.set_limits({.unused_max = 2});
  ASSERT_TRUE(is_minted(1));
  ASSERT_TRUE(is_minted(2));
  const std::size_t bytes = book.bytes();
  book.set_limits({.minted_max = 4, .unused_max = 1});
  const auto third = std::get<TicketBook::Minted>(mint(3));
  EXPECT_EQ(third.died.size(), 2);
  book.unmint(test_digest(3), third);
  EXPECT_EQ(book.size(), 2);
  EXPECT_EQ(book.bytes(), bytes);
  book.set_limits({.minted_max = 3, .unused_max = 2});
  ASSERT_TRUE(is_minted(4)) << "what was taken back is not counted";
  EXPECT_EQ(book.find(now, test_digest(1)), nullptr) << "the oldest as before";
  EXPECT_NE(book.find(now, test_digest(2)), nullptr);
  now += 30s;
  EXPECT_EQ(book.find(now, test_digest(2)), nullptr);
  EXPECT_EQ(book.bytes(), 0);
}

TEST_F(TicketBookTest, goes_by_the_limits_of_an_issuer_that_has_its_own) {
  const auto mint_for = [this](int number, std::uint64_t minted_max, std::uint64_t unused_max) {
    return book.mint(now, {.hash = test_digest(number),
                           .terms = test_terms("eva", std::to_string(number)),
                           .ttl = 30s,
                           .minted_max = minted_max,
                           .unused_max = unused_max});
  };
  book.set_limits({.minted_max = 1, .unused_max = 1});
  for (const int number : {1, 2, 3}) {
    ASSERT_TRUE(std::holds_alternative<TicketBook::Minted>(mint_for(number, 3, 2)));
  }
  EXPECT_EQ(book.size(), 2);
  EXPECT_TRUE(std::holds_alternative<TicketBook::TooMany>(mint_for(4, 3, 2)));
  EXPECT_TRUE(std::holds_alternative<TicketBook::TooMany>(mint(4))) << "of all others";
}

TEST_F(TicketBookTest, is_not_changed_by_a_flood_of_unknown_tickets) {
  ASSERT_TRUE(is_minted(1));
  book.settle();
  const std::size_t bytes = book.bytes();
  TicketBook::Attempt unknown = attempt("~AQIDG_lqYOFHdr1o62M-hg");
  for (int i = 0; i < 10'000; ++i) {
    unknown.hash = test_digest(2);
    unknown.hash[0] = static_cast<unsigned char>(i);
    unknown.hash[1] = static_cast<unsigned char>(i >> 8);
    ASSERT_EQ(book.find(now, unknown.hash), nullptr);
    ASSERT_EQ(refusal(unknown), Refusal::kUnknown);
  }
  EXPECT_EQ(book.size(), 1);
  EXPECT_EQ(book.bytes(), bytes);
  EXPECT_FALSE(book.has_changes());
}

TEST_F(TicketBookTest, ends_a_session_by_its_name) {
  ASSERT_TRUE(is_minted(1));
  ASSERT_TRUE(is_minted(2));
  EXPECT_FALSE(book.end_session(now, "3"));
  const auto unused = book.end_session(now, "2");
  ASSERT_TRUE(unused);
  EXPECT_FALSE(unused->holder);
  const Opened first = open(attempt());
  const auto used = book.end_session(now, "1");
  ASSERT_TRUE(used);
  EXPECT_EQ(used->hash, test_digest(1));
  EXPECT_EQ(used->holder->turn, 1);
  EXPECT_EQ(refusal(attempt(first.proof)), Refusal::kUnknown);
}

TEST_F(TicketBookTest, takes_back_tickets_of_a_minute_that_is_over) {
  ASSERT_TRUE(is_minted(1));  // with it the minute begins
  now += 50s;
  const auto second = std::get<TicketBook::Minted>(mint(2));
  now += 11s;
  const auto third = std::get<TicketBook::Minted>(mint(3));
  book.unmint(test_digest(3), third);
  book.unmint(test_digest(2), second);
  EXPECT_TRUE(is_minted(4));
}

TEST_F(TicketBookTest, takes_back_what_could_not_be_kept) {
  ASSERT_TRUE(is_minted(1));
  book.unmint(test_digest(2), std::get<TicketBook::Minted>(mint(2)));
  EXPECT_EQ(book.find(now, test_digest(2)), nullptr);
  const Opened first = open(attempt());
  ASSERT_TRUE(first.is_first);
  EXPECT_TRUE(book.unredeem(test_digest(1), first));
  const Opened again = open(attempt("", 101));
  EXPECT_EQ(again.turn, 1);
  EXPECT_TRUE(again.is_first);
  const Opened second = open(attempt(again.proof));
  EXPECT_FALSE(book.unredeem(test_digest(1), second));
  EXPECT_EQ(open(attempt(second.proof)).turn, 3);
}

TEST_F(TicketBookTest, tells_what_is_to_be_kept) {
  ASSERT_TRUE(is_minted(1));
  ASSERT_EQ(book.changes().size(), 1);
  EXPECT_FALSE(book.changes()[0].record->session);
  book.settle();
  EXPECT_FALSE(book.has_changes());
  const Opened first = open(attempt());
  ASSERT_EQ(book.changes().size(), 1);
  EXPECT_EQ(book.changes()[0].record->session->given, 1);
  book.settle();
  open(attempt(first.proof));
  EXPECT_TRUE(book.has_changes());
  book.settle();
  now += 1h;
  EXPECT_EQ(book.find(now, test_digest(1)), nullptr);
  ASSERT_EQ(book.changes().size(), 1);
  EXPECT_EQ(book.changes()[0].record, nullptr);
}

TEST_F(TicketBookTest, goes_on_with_what_was_kept) {
  ASSERT_TRUE(is_minted(1));
  ASSERT_TRUE(is_minted(2));
  const Opened first = open(attempt());
  std::vector<std::pair<TicketHash, TicketRecord>> kept;
  for (const auto& change : book.changes()) {
    kept.emplace_back(change.hash, *change.record);
  }
  now += 5s;
  TicketBook after{{.unused_max = 1}};
  for (const auto& [hash, record] : kept) {
    after.restore(now, hash, record);
  }
  EXPECT_EQ(after.size(), 2);
  EXPECT_EQ(after.bytes(), book.bytes());
  EXPECT_TRUE(std::holds_alternative<TicketBook::Refused>(after.redeem(now, attempt("", 101))));
  EXPECT_EQ(std::get<Opened>(after.redeem(now, attempt(first.proof))).turn, 2);
  after.mint(now, {.hash = test_digest(3), .terms = test_terms(), .ttl = 30s});
  EXPECT_EQ(after.find(now, test_digest(2)), nullptr);
}

TEST_F(TicketBookTest, forgets_subjects_that_have_nothing_left) {
  for (int round = 0; round < 3; ++round) {
    for (int subject = 0; subject < 100; ++subject) {
      ASSERT_TRUE(is_minted(subject, std::to_string(subject)));
    }
    now += 1min;
  }
  EXPECT_EQ(book.find(now, test_digest(1)), nullptr);
  EXPECT_EQ(book.bytes(), 0);
}

}  // namespace
}  // namespace vrelo::auth
