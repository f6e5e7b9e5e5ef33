// SPDX-License-Identifier: Apache-2.0
#include "hub/auth/ticket_office.h"

#include <map>
#include <optional>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <boost/asio/io_context.hpp>

#include "hub/auth/ticket_testing.h"
#include "hub/base/clock_testing.h"

namespace vrelo::auth {
namespace {

using std::chrono_literals::operator""s;
using std::chrono_literals::operator""ms;
using std::chrono_literals::operator""h;
using Opened = TicketBook::Opened;
using Refused = TicketBook::Refused;
using Away = TicketOffice::Away;
using Why = TicketOffice::Why;

// A disk: what is kept survives its keeper.
struct Disk {
  std::map<TicketHash, TicketRecord> records;
  StoreTime last{0};
  int commits = 0;
  bool fails = false;
};

class DiskKeeper final : public TicketKeeper {
 public:
  explicit DiskKeeper(Disk& disk) : disk_(disk) {}

  boost::system::result<void> keep(std::span<const TicketBook::Change> changes,
                                   StoreTime now) override {
    ++disk_.commits;
    if (disk_.fails) {
      return make_error_code(boost::system::errc::io_error);
    }
    disk_.last = now;
    for (const TicketBook::Change& change : changes) {
      if (change.record == nullptr) {
        disk_.records.erase(change.hash);
      } else {
        disk_.records.insert_or_assign(change.hash, *change.record);
      }
    }
    return {};
  }

 private:
  Disk& disk_;
};

class TicketOfficeTest : public ::testing::Test {
 protected:
  TicketOfficeTest() { start(); }

  // Also a restart: without stop(), what a crash leaves.
  void start() {
    KeptTickets kept{.last = disk.last, .keeper = std::make_unique<DiskKeeper>(disk)};
    for (const auto& [hash, record] : disk.records) {
      kept.tickets.emplace_back(hash, record);
    }
    office.emplace(TicketOffice::Parts{
        .clock = clock,
        .executor = loop.get_executor(),
        .kept = std::move(kept),
        .late = late,
        .close = [this](const TicketOffice::Closing& closing) { closed.push_back(closing); },
        .on_trouble = [this](const boost::system::error_code&) { ++troubles; }});
  }

  void run() {
    loop.restart();
    loop.poll();
  }

  // Also what the office does late.
  void run_late(int times = 1) {
    loop.restart();
    for (int i = 0; i < times; ++i) {
      loop.run_one();
    }
  }

  void mint(int number) {
    office->mint({.hash = test_digest(number),
                  .terms = test_terms("eva", std::to_string(number)),
                  .ttl = 30s},
                 [this](const TicketOffice::Minted& minted) { mints.push_back(minted); });
  }

  // With a token whose exp is so far away.
  void mint_with_token(int number, std::chrono::seconds left) {
    auto terms = test_terms("eva", std::to_string(number));
    terms->claims.expires = NumericDate(clock.wall().time_since_epoch()) + NumericDate(left);
    office->mint({.hash = test_digest(number),
                  .terms = terms,
                  .ttl = 30s,
                  .token_end = office->when(*terms->claims.expires)},
                 [this](const TicketOffice::Minted& minted) { mints.push_back(minted); });
  }

  void redeem(int number, std::string proof = "") {
    office->redeem({.hash = test_digest(number),
                    .epoch = 1,
                    .proof = std::move(proof),
                    .secret = test_digest(200),
                    .shard = 0},
                   [this](const TicketOffice::Redeemed& result) { results.push_back(result); });
  }

  // A session by ticket 1.
  void open() {
    mint(1);
    redeem(1);
    run();
  }

  // Ticket 1 has one more second, and the machine's clock is set back while nobody runs.
  void expect_over_after_a_restart() {
    clock.step_wall(-1h);
    start();
    clock.advance(1s);
    redeem(1);
    run();
    EXPECT_NE(last<Refused>(), nullptr);
  }

  template <typename T>
  const T* last() const {
    return results.empty() ? nullptr : std::get_if<T>(&results.back());
  }

  Disk disk;
  base::ManualClock clock;
  std::chrono::milliseconds late = 1s;
  boost::asio::io_context loop{1};
  std::vector<TicketOffice::Closing> closed;
  std::vector<TicketOffice::Minted> mints;
  std::vector<TicketOffice::Redeemed> results;
  int troubles = 0;
  std::optional<TicketOffice> office;
};

TEST_F(TicketOfficeTest, tells_nobody_of_a_ticket_before_it_is_kept) {
  mint(1);
  EXPECT_TRUE(mints.empty());
  run();
  ASSERT_EQ(mints.size(), 1);
  EXPECT_TRUE(std::holds_alternative<TicketBook::Minted>(mints[0]));
  EXPECT_EQ(disk.records.size(), 1);
  redeem(1);
  run();
  ASSERT_NE(last<Opened>(), nullptr);
  EXPECT_TRUE(disk.records.at(test_digest(1)).session);
}

TEST_F(TicketOfficeTest, commits_together_what_comes_together) {
  for (const int number : {1, 2, 3}) {
    mint(number);
  }
  run();
  EXPECT_EQ(mints.size(), 3);
  EXPECT_EQ(disk.commits, 1);
}

TEST_F(TicketOfficeTest, opens_one_session_whoever_comes_together) {
  mint(1);
  run();
  for (int i = 0; i < 64; ++i) {
    redeem(1);
  }
  run();
  int opened = 0;
  for (const auto& result : results) {
    opened += std::holds_alternative<Opened>(result) ? 1 : 0;
  }
  EXPECT_EQ(opened, 1);
}

TEST_F(TicketOfficeTest, finds_what_a_ticket_was_minted_for) {
  mint(1);
  run();
  TicketTermsPtr found;
  office->find(test_digest(1), [&found](TicketTermsPtr terms) { found = std::move(terms); });
  run();
  ASSERT_NE(found, nullptr);
  EXPECT_EQ(found->query, "match=a");
  office->find(test_digest(2), [&found](TicketTermsPtr terms) { found = std::move(terms); });
  run();
  EXPECT_EQ(found, nullptr);
}

TEST_F(TicketOfficeTest, leaves_a_ticket_unused_while_nothing_can_be_kept) {
  mint(1);
  run();
  disk.fails = true;
  redeem(1);
  redeem(1);
  mint(2);
  run();
  ASSERT_EQ(results.size(), 2);
  EXPECT_TRUE(std::holds_alternative<Away>(results[0]));
  EXPECT_TRUE(std::holds_alternative<Away>(results[1]));
  EXPECT_TRUE(std::holds_alternative<Away>(mints[1]));
  EXPECT_EQ(troubles, 1);
  disk.fails = false;
  redeem(1);
  redeem(2);
  run();
  ASSERT_TRUE(std::holds_alternative<Opened>(results[2]));
  EXPECT_TRUE(std::get<Opened>(results[2]).is_first);
  ASSERT_NE(last<Refused>(), nullptr);
}

TEST_F(TicketOfficeTest, lets_no_ticket_die_for_one_that_could_not_be_kept) {
  office->set_limits({.unused_max = 1});
  mint(1);
  run();
  disk.fails = true;
  mint(2);
  redeem(1);
  TicketTermsPtr found;
  office->find(test_digest(1), [&found](TicketTermsPtr terms) { found = std::move(terms); });
  run();
  EXPECT_TRUE(std::holds_alternative<Away>(mints[1]));
  EXPECT_NE(last<Away>(), nullptr) << "it may come again";
  EXPECT_NE(found, nullptr);
  disk.fails = false;
  redeem(1);
  run();
  EXPECT_NE(last<Opened>(), nullptr);
}

TEST_F(TicketOfficeTest, asks_no_disk_about_unknown_tickets) {
  mint(1);
  run();
  const int commits = disk.commits;
  for (int i = 2; i < 200; ++i) {
    office->find(test_digest(i), [](const TicketTermsPtr&) {});
    redeem(i);
    run();
  }
  EXPECT_EQ(disk.commits, commits);
}

TEST_F(TicketOfficeTest, shows_a_time_that_no_step_of_the_clock_changes) {
  const StoreTime begin = office->now();
  clock.step_wall(-1h);
  clock.advance(1s);
  EXPECT_EQ(office->now(), begin + 1s);
}

TEST_F(TicketOfficeTest, resumes_while_nothing_can_be_kept_but_not_for_long) {
  open();
  const std::string first = last<Opened>()->proof;
  disk.fails = true;
  mint(2);
  redeem(1, first);
  run();
  const Opened* const second = last<Opened>();
  ASSERT_NE(second, nullptr);
  EXPECT_EQ(second->turn, 2);
  const std::string proof = second->proof;
  clock.advance(5s);
  redeem(1, proof);
  run();
  EXPECT_NE(last<Away>(), nullptr);
  disk.fails = false;
  mint(3);
  run();
  redeem(1, proof);
  run();
  EXPECT_NE(last<Opened>(), nullptr);
}

TEST_F(TicketOfficeTest, keeps_a_used_ticket_used_over_a_crash) {
  open();
  const std::string proof = last<Opened>()->proof;
  clock.advance(10s);
  start();
  redeem(1);
  run();
  ASSERT_NE(last<Refused>(), nullptr);
  EXPECT_EQ(last<Refused>()->why, TicketBook::Refusal::kUsed);
  redeem(1, proof);
  run();
  ASSERT_NE(last<Opened>(), nullptr);
  EXPECT_EQ(last<Opened>()->turn, 2);
}

TEST_F(TicketOfficeTest, resumes_with_a_turn_that_a_crash_made_it_forget) {
  open();
  for (int i = 0; i < 3; ++i) {
    redeem(1, last<Opened>()->proof);
    run();
  }
  EXPECT_EQ(disk.records.at(test_digest(1)).session->given, 2);
  const std::string fourth = last<Opened>()->proof;
  start();
  redeem(1, fourth);
  run();
  ASSERT_NE(last<Opened>(), nullptr);
  EXPECT_EQ(last<Opened>()->turn, 5);
}

TEST_F(TicketOfficeTest, has_no_grace_after_a_crash_once_a_proof_was_shown) {
  open();
  const std::string first = last<Opened>()->proof;
  redeem(1, first);
  EXPECT_EQ(results.size(), 1);
  run();
  ASSERT_NE(last<Opened>(), nullptr);
  start();
  redeem(1);
  run();
  ASSERT_NE(last<Refused>(), nullptr);
  EXPECT_EQ(last<Refused>()->why, TicketBook::Refusal::kUsed);
  redeem(1, first);
  run();
  EXPECT_NE(last<Opened>(), nullptr) << "whoever got no answer comes again";
}

TEST_F(TicketOfficeTest, writes_turns_when_it_stops) {
  open();
  for (int i = 0; i < 2; ++i) {
    redeem(1, last<Opened>()->proof);
    run();
  }
  EXPECT_EQ(disk.records.at(test_digest(1)).session->given, 2);
  office->stop();
  EXPECT_EQ(disk.records.at(test_digest(1)).session->given, 3);
  redeem(1);
  run();
  EXPECT_EQ(results.size(), 3) << "nothing after stop()";
}

TEST_F(TicketOfficeTest, has_the_older_connection_closed) {
  open();
  const std::string first = last<Opened>()->proof;
  redeem(1, first);
  run();
  ASSERT_EQ(closed.size(), 1);
  EXPECT_EQ(closed[0].why, Why::kReplaced);
  EXPECT_EQ(closed[0].holder.turn, 1);
  redeem(1, last<Opened>()->proof);
  redeem(1, first);
  run();
  ASSERT_EQ(closed.size(), 3);
  EXPECT_EQ(closed[2].why, Why::kCopied);
  EXPECT_EQ(closed[2].holder.turn, 3);
  EXPECT_TRUE(disk.records.empty());
}

TEST_F(TicketOfficeTest, ends_a_session_by_its_name) {
  open();
  using SessionEnd = TicketOffice::SessionEnd;
  std::vector<SessionEnd> ended;
  for (const char* const session : {"1", "1"}) {
    office->end_session(session, [&ended](SessionEnd end) { ended.push_back(end); });
    run();
  }
  EXPECT_THAT(ended, ::testing::ElementsAre(SessionEnd::kEnded, SessionEnd::kUnknown));
  ASSERT_EQ(closed.size(), 1);
  EXPECT_EQ(closed[0].why, Why::kRevoked);
}

TEST_F(TicketOfficeTest, lets_no_step_of_the_clock_extend_or_shorten_anything) {
  mint(1);
  run();
  clock.step_wall(-1h);
  clock.advance(20s);
  redeem(1);
  run();
  EXPECT_NE(last<Opened>(), nullptr);
  mint(2);
  run();
  clock.step_wall(2h);
  redeem(2);
  run();
  EXPECT_NE(last<Opened>(), nullptr);
  clock.step_wall(-2h);
  mint(3);
  run();
  clock.advance(30s);
  redeem(3);
  run();
  EXPECT_NE(last<Refused>(), nullptr);
}

TEST_F(TicketOfficeTest, knows_what_it_will_show_at_a_time_of_day) {
  const NumericDate date = NumericDate(clock.wall().time_since_epoch()) + NumericDate(90s);
  EXPECT_EQ(office->when(date), office->now() + 90s);
  clock.step_wall(60s);
  clock.advance(10s);
  EXPECT_EQ(office->when(date), office->now() + 20s);
  EXPECT_EQ(office->when(NumericDate(9e15)), office->now() + 365 * 24h);
}

TEST_F(TicketOfficeTest, mints_good_tickets_after_a_time_of_day_that_was_ahead) {
  clock.step_wall(24h);
  start();
  mint(1);
  run();
  clock.step_wall(-24h);
  for (const int number : {2, 3}) {
    mint_with_token(number, 600s);
    run();
    const auto* const minted = std::get_if<TicketBook::Minted>(&mints.back());
    ASSERT_NE(minted, nullptr);
    EXPECT_EQ(minted->expires_in, 30s);
    EXPECT_EQ(minted->session_expires_in, 600s);
    redeem(number);
    run();
    EXPECT_NE(last<Opened>(), nullptr);
    start();
  }
}

TEST_F(TicketOfficeTest, ends_a_session_with_its_token_also_where_its_time_stood_still) {
  clock.step_wall(24h);
  start();
  clock.step_wall(-24h);
  mint_with_token(1, 600s);
  mint_with_token(2, 600s);
  redeem(1);
  run();
  const std::string proof = last<Opened>()->proof;
  office->stop();
  clock.advance(599s);
  start();
  redeem(2);
  run();
  ASSERT_NE(last<Opened>(), nullptr) << "a second is left";
  EXPECT_EQ(last<Opened>()->end, office->now() + 1s - kSessionMargin);
  clock.advance(1s - kSessionMargin);
  start();
  redeem(1, proof);
  run();
  EXPECT_NE(last<Refused>(), nullptr);
}

TEST_F(TicketOfficeTest, does_not_go_back_in_time_over_a_restart) {
  mint(1);
  run();
  clock.advance(29s);
  mint(2);
  run();
  expect_over_after_a_restart();
}

TEST_F(TicketOfficeTest, does_not_go_back_in_time_over_a_stop_before_which_nothing_happened) {
  mint(1);
  run();
  clock.advance(29s);
  office->stop();
  expect_over_after_a_restart();
}

TEST_F(TicketOfficeTest, does_not_go_back_in_time_over_a_crash_before_which_nothing_happened) {
  late = 1ms;
  start();
  mint(1);
  run();
  clock.advance(29s);
  run_late();
  expect_over_after_a_restart();
}

TEST_F(TicketOfficeTest, does_not_go_back_in_time_over_the_second_of_two_crashes) {
  late = 1ms;
  mint(1);
  run();
  start();
  run();
  clock.advance(29s);
  run_late();
  expect_over_after_a_restart();
}

TEST_F(TicketOfficeTest, writes_the_time_now_and_then_and_only_while_there_is_a_ticket) {
  late = 1ms;
  start();
  mint(1);
  run_late();
  EXPECT_EQ(disk.commits, 1);
  run_late(3);
  EXPECT_EQ(disk.commits, 1) << "not as often as it looks";
  clock.advance(4s);
  run_late();
  EXPECT_EQ(disk.commits, 2);
  clock.advance(26s);
  loop.restart();
  loop.run();  // returns, for there is nothing more to do
  EXPECT_TRUE(disk.records.empty());
  EXPECT_EQ(disk.commits, 3);
}

}  // namespace
}  // namespace vrelo::auth
