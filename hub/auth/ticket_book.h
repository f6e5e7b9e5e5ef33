// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "hub/auth/proof.h"
#include "hub/auth/ticket.h"

namespace vrelo::auth {

// A time by the store's clock: since 1970, and never going back.
using StoreTime = std::chrono::milliseconds;

// How long before its time a session is over, for its stream and for whoever comes back: a stream
// needs a moment to be closed, and is never open beyond its token's end.
inline constexpr std::chrono::milliseconds kSessionMargin{500};

struct TicketLimits {
  // Of one issuer and subject.
  std::uint64_t minted_max = 60;  // in a minute
  std::uint64_t unused_max = 32;  // at once; the oldest dies

  std::chrono::milliseconds session = std::chrono::hours(1);
  std::chrono::milliseconds grace = std::chrono::seconds(10);  // 0: there is none

  std::chrono::milliseconds absence_max = std::chrono::minutes(15);  // without a connection

  // Of all records. One subject has at most as much as it leaves free: so whatever a few of them
  // take, there is room for others.
  std::size_t bytes_max = std::size_t{64} << 20;
};

// One ticket, and the stream session that it opened.
struct TicketRecord {
  // What there is since it was redeemed.
  struct Session {
    Digest secret = {};         // of its proofs
    Digest first_request = {};  // what the redeeming request can be told by
    StoreTime grace_end{0};
    StoreTime end{0};  // kSessionMargin before its time

    // The turn last presented and the turn last given. The ticket itself is turn 0.
    std::uint32_t presented = 0;
    std::uint32_t given = 0;

    // Not kept over a restart: the shard that has its connection, or since when there is none.
    std::optional<std::size_t> shard = {};
    StoreTime absent_since{0};
  };

  TicketTermsPtr terms;
  StoreTime ticket_end{0};
  std::optional<StoreTime> token_end = {};
  std::optional<Session> session = {};  // nullopt: it is unused
};

// The tickets and stream sessions of a hub: what becomes of them, without I/O, threads and a clock.
//
// Invariant: a ticket opens one session, before its end.
// Invariant: bounded by the limits, whatever is asked.
// Order: the times that are passed never go back.
// Threads: one. A copy is another book with the same tickets.
class TicketBook {
 public:
  explicit TicketBook(const TicketLimits& limits) : limits_(limits) {}

  // Holds from now on; what is there stays.
  void set_limits(const TicketLimits& limits) { limits_ = limits; }
  const TicketLimits& limits() const { return limits_; }

  struct Order {
    TicketHash hash;
    TicketTermsPtr terms;
    std::chrono::milliseconds ttl{0};
    std::optional<StoreTime> token_end = {};  // nullopt: there is none

    // Of its issuer, in the place of TicketLimits.
    std::optional<std::uint64_t> minted_max = {};
    std::optional<std::uint64_t> unused_max = {};
  };

  // An unused ticket whose place another one has.
  struct Died {
    TicketHash hash = {};
    TicketRecord record = {};
    std::uint64_t number = 0;
  };
  struct Minted {
    std::chrono::milliseconds expires_in;
    std::chrono::milliseconds session_expires_in;  // if it is redeemed at once
    std::vector<Died> died = {};
  };
  struct TokenOver {};  // or so nearly that no session would open: nothing is counted
  struct TooMany {      // of its subject, in a minute or by their size
    // When the minute is over; nullopt: when what it has ends, which may be long.
    std::optional<std::chrono::milliseconds> retry = {};
  };
  struct Full {};
  using Result = std::variant<Minted, TokenOver, TooMany, Full>;
  Result mint(StoreTime now, const Order& order);

  // Returns what a ticket was minted for, used or not; nullptr: there is no such ticket.
  // Cost: a look-up.
  TicketTermsPtr find(StoreTime now, const TicketHash& hash);

  // A request with a ticket, all of whose other checks have been passed.
  struct Attempt {
    TicketHash hash;
    std::uint64_t epoch = 0;  // the log's
    std::string proof = {};   // as split_proof() gave it; "": none
    Digest request = {};      // what it can be told by
    Digest secret = {};       // for the session, if it opens one

    // The shard that will have the connection; nullopt: it ends after its first block.
    std::optional<std::size_t> shard = {};

    // The turn whose connection was found to have ended, or not to have acknowledged its first
    // block.
    std::uint32_t unacknowledged = 0;
  };

  // Where a session has a connection.
  struct Holder {
    std::size_t shard = 0;
    std::uint32_t turn = 0;
  };

  struct Opened {
    std::uint32_t turn = 0;
    std::string proof;
    StoreTime end{0};  // of the stream and its session
    std::optional<Holder> replaced = {};
    bool is_first = false;        // it was redeemed
    bool is_first_proof = false;  // it was shown a proof, and never before
  };
  struct Ask {
    Holder holder;  // whether it has acknowledged its first block has to be known
  };
  enum class Refusal {
    kUnknown,  // or ended
    kOtherEpoch,
    kUsed,
    kCopied,  // two clients have the proof: the session has ended for both
  };
  struct Refused {
    Refusal why = Refusal::kUnknown;
    std::optional<Holder> ended = {};  // of kCopied: whose connection has to end too
  };
  using Outcome = std::variant<Opened, Ask, Refused>;
  Outcome redeem(StoreTime now, const Attempt& attempt);

  // Returns whether an outcome has to be kept before anybody is told of it. The first turn with a
  // proof has to: from then on the URL alone is good for nothing. A later one need not: one that a
  // crash makes the hub forget is known by its proof.
  static bool needs_commit(const Outcome& outcome);

  // The connection of this turn is no more.
  void leave(StoreTime now, const TicketHash& hash, std::uint32_t turn);

  struct Ended {
    TicketHash hash = {};
    std::optional<Holder> holder = {};
  };

  // Ends the session with this name, also one that its ticket has not opened yet; nullopt: there
  // is none.
  std::optional<Ended> end_session(StoreTime now, const std::string& session);

  // Takes back what could not be kept: what mint() and redeem() did, before anybody was told.
  // Order: what was done last comes first.
  void unmint(const TicketHash& hash, const Minted& minted);

  // Returns false where a session that was there before goes on, and its client may be told.
  bool unredeem(const TicketHash& hash, const Opened& opened);

  // What changed since the last settle(), in need of being kept; nullptr: it is gone.
  struct Change {
    TicketHash hash;
    const TicketRecord* record;
  };
  std::vector<Change> changes() const;
  bool has_changes() const { return !changed_.empty(); }
  void settle() { changed_.clear(); }

  // Removes what has ended.
  void expire(StoreTime now);

  // Puts back what was kept, if it has not ended. Order: before anything else.
  void restore(StoreTime now, const TicketHash& hash, TicketRecord record);

  std::size_t size() const { return entries_.size(); }
  std::size_t bytes() const { return bytes_; }

 private:
  struct Entry {
    TicketRecord record;
    std::uint64_t number = 0;  // the order in which they came
    StoreTime due{0};          // in due_
  };
  using Entries = std::map<TicketHash, Entry>;

  // One issuer and subject.
  struct Owner {
    StoreTime minute_end{0};
    std::uint64_t minted = 0;                    // in that minute
    std::map<std::uint64_t, TicketHash> unused;  // by their numbers
    std::size_t bytes = 0;                       // of its records, used or not
  };
  enum class Room { kEnough, kNoneForOwner, kNone };

  Room room_for(const TicketRecord& record, const Owner& owner, std::uint64_t unused_max) const;
  void insert(const TicketHash& hash, TicketRecord record, std::uint64_t number);
  Outcome accept(StoreTime now, Entries::iterator at, const Attempt& attempt, std::uint32_t turn);
  void erase(Entries::iterator at);
  void set_due(const TicketHash& hash, Entry& entry);
  Owner& owner_of(const TicketRecord& record);
  void forget_owners(StoreTime now);

  TicketLimits limits_;
  Entries entries_;
  std::map<std::string, Owner> owners_;
  std::size_t sweep_at_ = 64;  // how many owners_ holds when those with nothing left are removed
  std::set<std::pair<StoreTime, TicketHash>> due_;
  std::set<TicketHash> changed_;
  std::size_t bytes_ = 0;
  std::uint64_t next_number_ = 1;
};

}  // namespace vrelo::auth
