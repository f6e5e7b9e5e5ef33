// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/system/error_code.hpp>
#include <boost/system/result.hpp>

#include "hub/auth/ticket_book.h"
#include "hub/base/clock.h"
#include "hub/base/task.h"

namespace vrelo::auth {

// What keeps tickets over a restart. Threads: one.
class TicketKeeper {
 public:
  virtual ~TicketKeeper() = default;

  // Returns once the changes, of which there may be none, are on the disk, all of them. `now`: by
  // the store's clock, which goes on from there after a restart. Errors: those of the store; then
  // some of it may be there.
  virtual boost::system::result<void> keep(std::span<const TicketBook::Change> changes,
                                           StoreTime now) = 0;
};

// What was kept, for the next start.
struct KeptTickets {
  std::vector<std::pair<TicketHash, TicketRecord>> tickets = {};
  StoreTime last{0};  // of the store's clock, what was last kept: it goes on from there
  std::unique_ptr<TicketKeeper> keeper = {};  // nullptr: nothing is kept
};

// The one place of a node where tickets are minted and redeemed.
//
// What comes in while a commit is under way shares the next one. Nobody is told of a ticket that
// was minted or redeemed, or of the first turn with a proof, before that is kept. Other turns are
// written later, with what comes next, or within a second. As long as there are tickets or
// sessions, the time is written every few seconds: what ended before does not come back, wherever
// the time of day is set before the next start.
//
// The store's clock begins with the time of day or the newest time that was kept, whichever is
// ahead, and does not follow the time of day: how far the two are apart means nothing.
//
// Threads: now(), when() and steady_at(), any. mint() to leave(), any: they only put a job into a
// queue; `done` is called on the executor's thread, which may wait for a disk, and not at all once
// stop() was called. All else is that thread's.
class TicketOffice {
 public:
  // A connection of a session that has to be closed, and why.
  enum class Why { kReplaced, kCopied, kRevoked };
  struct Closing {
    TicketHash hash = {};
    TicketBook::Holder holder = {};
    Why why = Why::kReplaced;
  };

  struct Parts {
    const base::Clock& clock;  // outlives the office
    base::Executor executor;
    KeptTickets kept = {};
    TicketLimits limits = {};
    std::chrono::milliseconds late = std::chrono::seconds(1);  // how late a turn is written
    std::function<void(const Closing&)> close = {};
    std::function<void(const boost::system::error_code&)> on_trouble = {};  // nothing can be kept
  };

  explicit TicketOffice(Parts parts);

  TicketOffice(const TicketOffice&) = delete;
  TicketOffice& operator=(const TicketOffice&) = delete;

  // The store's clock.
  StoreTime now() const;

  // Returns what the store's clock will show at `date`, a time of day, if nobody sets that before.
  // A year stands for any longer time.
  StoreTime when(NumericDate date) const;

  // Returns when the store's clock shows `time`.
  base::Clock::Steady steady_at(StoreTime time) const;

  struct Away {};  // it cannot be kept now, and nothing has happened

  using Minted = std::variant<TicketBook::Minted,
                              TicketBook::TokenOver,
                              TicketBook::TooMany,
                              TicketBook::Full,
                              Away>;
  void mint(const TicketBook::Order& order, std::function<void(Minted)> done);

  // nullptr: there is no such ticket.
  void find(const TicketHash& hash, std::function<void(TicketTermsPtr)> done);

  using Redeemed = std::variant<TicketBook::Opened, TicketBook::Ask, TicketBook::Refused, Away>;
  void redeem(const TicketBook::Attempt& attempt, std::function<void(Redeemed)> done);

  enum class SessionEnd {
    kEnded,
    kUnknown,  // there is no such session
    kNotKept,  // it has ended, but would come back with a restart
  };
  void end_session(std::string session, std::function<void(SessionEnd)> done);

  void leave(const TicketHash& hash, std::uint32_t turn);

  void set_limits(const TicketLimits& limits);

  // Writes what is to be written, and does nothing from then on.
  void stop();

 private:
  // Something to be done with the book, and what to say when it is kept.
  struct Job {
    std::function<void(StoreTime now)> act;
    bool needs_commit = false;             // known after act()
    std::function<void()> take_back = {};  // where it could not be kept, if need be
    std::function<void(bool is_kept)> answer;
  };
  using Timer =
      boost::asio::basic_waitable_timer<std::chrono::steady_clock,
                                        boost::asio::wait_traits<std::chrono::steady_clock>,
                                        base::Executor>;

  void end_with_token(TicketRecord& record) const;
  void submit(std::shared_ptr<Job> job);
  void run();
  bool commit(StoreTime now);
  void set_timer();
  void tick();
  bool is_away() const;

  const base::Clock& clock_;
  const base::Executor executor_;
  const std::chrono::milliseconds late_;
  const std::function<void(const Closing&)> close_;
  const std::function<void(const boost::system::error_code&)> on_trouble_;
  const std::unique_ptr<TicketKeeper> keeper_;
  const StoreTime begin_;  // what the store's clock showed at
  const base::Clock::Steady began_at_;
  StoreTime kept_at_;  // when something was last kept
  TicketBook book_;
  std::optional<base::Clock::Steady> away_since_;  // when a commit first failed, if the last did
  Timer timer_;
  bool is_timer_set_ = false;
  std::set<TicketHash> taken_back_;      // in this run: they are there and unused again
  std::shared_ptr<TicketOffice*> self_;  // a posted run sees by it whether this is still there

  std::mutex mutex_;
  std::vector<std::shared_ptr<Job>> queue_;
  bool stopped_ = false;
};

}  // namespace vrelo::auth
