// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "hub/auth/ticket_book.h"
#include "sim/tickets/sent.h"

namespace vrelo::sim::tickets {

struct Client {
  std::uint32_t proof = 0;  // the newest turn that it can prove; 0: none
  bool gave_up = false;     // it got 401
};

// A connection that a session was given, as its node sees it.
struct Line {
  enum class State : std::uint8_t {
    kOpening,       // nothing was sent yet, and its client waits for it
    kOpen,          // the first block was sent, and is not acknowledged
    kAcknowledged,  // it was
  };
  Who who = kOwner;
  std::uint32_t turn = 0;
  std::size_t node = 0;
  bool is_short = false;  // it ends after its first block
  State state = State::kOpening;
};

// What becomes of something that is to be kept.
enum class Disk : std::uint8_t {
  kKeeps,
  kFails,
  kFailsLate,  // it says that it failed, and has kept it
};

// Where a request goes, and how it is there.
struct Visit {
  std::size_t node = 0;
  bool is_full = false;  // or drains
  Disk disk = Disk::kKeeps;
};

// Whether a session is over by itself.
enum class Over : std::uint8_t {
  kNot,
  kTime,     // its time, or its token's, has passed
  kAbsence,  // it was without a connection for too long
};

// Whether, and how, the first block of a connection arrives.
enum class Fate : std::uint8_t {
  kArrives,
  kLost,      // and the node sees the connection end
  kLostMute,  // and the node does not see it yet
};

// One ticket with all that is around it, and what has happened so far, as the checks need it.
//
// Each act returns what is wrong after it; "": nothing.
class World {
 public:
  World();

  std::string request(Who who, const Visit& visit);
  std::string send_first_block(std::size_t line, Fate fate);
  std::string flawed_requests(Who who);
  std::string break_line(std::size_t line);
  std::string steal_proof();
  std::string write_late();
  std::string crash();
  std::string put_back_backup();
  std::string let_grace_pass();
  std::string let_ticket_pass();
  std::string let_session_pass();
  std::string let_absence_pass();
  std::string revoke(Disk disk);
  std::string cut_first_node(bool is_cut);

  const std::vector<Line>& lines() const { return lines_; }
  const Client& client(Who who) const { return clients_.at(who); }
  bool is_grace_over() const { return is_grace_over_; }
  bool is_ticket_over() const { return is_ticket_over_; }
  bool is_revoked() const { return is_revoked_; }
  bool has_session() const { return sessions_ > 0 && !has_ended_ && !is_revoked_ && epoch_ == 1; }
  bool is_over() const { return over_ != Over::kNot; }
  bool is_cut() const { return is_cut_; }
  bool was_put_back() const { return epoch_ > 1; }
  bool is_waiting(Who who) const;
  int requests() const { return requests_; }

  // Equal for worlds that have the same future.
  std::string key() const;

 private:
  using Book = auth::TicketBook;

  struct Away {};  // it may come again: its ticket could not be kept as used
  using Answer = std::variant<Book::Opened, Book::Refused, Away>;

  // What a node does about a request. nullopt: it is refused for something else than its ticket.
  std::optional<Answer> serve(Who who, const Visit& visit, Flaw flaw);
  Book::Outcome ask_book(Book::Attempt attempt);
  Answer keep_outcome(Who who, const Book::Outcome& outcome, Disk disk);
  std::string take_opened(Who who, const Visit& visit, const Book::Opened& opened);
  std::string take_refused(Who who, const Book::Refused& refused);
  std::string check_first(const Book::Opened& opened);
  std::string check_grace(Who who) const;
  std::string check_end(const Book::Opened& opened) const;
  std::string check_proof(std::uint32_t turn) const;
  std::string check_lines() const;
  std::string proof_of(std::uint32_t turn) const;
  const Line* holder() const;
  bool is_reachable(const Line& line) const { return !is_cut_ || line.node != 0; }
  void keep();

  Book book_;
  auth::StoreTime now_{1000};
  std::uint64_t epoch_ = 1;
  auth::TicketRecord minted_;               // as a backup has it
  std::optional<auth::TicketRecord> kept_;  // what is on the disk; nullopt: the ticket is gone
  std::array<Client, kClients> clients_ = {};
  std::vector<Line> lines_;
  bool is_cut_ = false;
  bool is_grace_over_ = false;
  bool is_ticket_over_ = false;
  bool is_revoked_ = false;
  Over over_ = Over::kNot;
  int requests_ = 0;  // that were about the ticket

  // What really happened, whatever the book remembers.
  int sessions_ = 0;
  Who first_ = kOwner;
  std::uint32_t presented_ = 0;
  std::uint32_t given_ = 0;
  auth::StoreTime session_end_{0};
  bool has_ended_ = false;      // as copied
  bool is_behind_ = false;      // turns were forgotten in a crash, and none was given beyond them
  bool was_disturbed_ = false;  // somebody besides the owner has sent a request

  // What a crash makes the hub forget, for it could not be kept.
  bool is_proof_unkept_ = false;  // the first that was presented
  bool is_end_unkept_ = false;    // that the session was copied or revoked

  std::optional<Who> kept_for_ = {};  // whose session is on the disk, which nobody was told of
};

}  // namespace vrelo::sim::tickets
