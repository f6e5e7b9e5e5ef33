// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>

#include <boost/intrusive/list.hpp>

#include "hub/auth/authenticator.h"
#include "hub/auth/ticket.h"
#include "hub/auth/ticket_office.h"
#include "hub/base/clock.h"
#include "hub/fanout/fan_out.h"
#include "hub/net/deadlines.h"
#include "hub/net/epoll_streams.h"

namespace vrelo::api {

// A connection's place in its stream session. Tells the office when it is no more.
class SessionSeat {
 public:
  // Lifetime: `office` outlives it.
  SessionSeat(auth::TicketOffice& office, const auth::TicketHash& ticket, std::uint32_t turn)
      : office_(&office), ticket_(ticket), turn_(turn) {}
  SessionSeat(SessionSeat&& other) noexcept
      : office_(std::exchange(other.office_, nullptr)),
        ticket_(other.ticket_),
        turn_(other.turn_) {}
  SessionSeat& operator=(SessionSeat&&) = delete;
  ~SessionSeat() {
    if (office_ != nullptr) {
      office_->leave(ticket_, turn_);
    }
  }

  const auth::TicketHash& ticket() const { return ticket_; }
  std::uint32_t turn() const { return turn_; }

 private:
  auth::TicketOffice* office_;  // nullptr: given away
  auth::TicketHash ticket_;
  std::uint32_t turn_;
};

// The stream of a ticket.
struct SessionStream {
  SessionSeat seat;
  auth::Quota::Place place;  // among the streams of its subject
  auth::TicketTermsPtr terms;
  base::Clock::Steady end;
};

// Ends the streams of one shard whose time is over: in the last second before their token's or
// session's end, within a second after the key was removed, and after the longest time that a
// stream may last. The reader of a session is told about half a minute before its end.
//
// Threads: one, the shard's. Lifetime: outlives the rights it made.
class StreamRights {
 public:
  // Lifetime: the references outlive this.
  StreamRights(const base::Clock& clock, net::Deadlines& deadlines, fanout::FanOut& fan_out);
  ~StreamRights();

  StreamRights(const StreamRights&) = delete;
  StreamRights& operator=(const StreamRights&) = delete;

  // Returns the right of the stream `fd`, which is about to be opened; nullptr: it needs none, as
  // long as no token is needed to read.
  // `token`: nullptr: there is none. `place` is kept as long. `lifetime`: 0: any; it is shortened
  // by up to a tenth, so that streams that were opened together do not end together.
  std::unique_ptr<net::StreamRight> make(int fd,
                                         std::shared_ptr<const auth::VerifiedToken> token,
                                         auth::Quota::Place place,
                                         std::chrono::milliseconds lifetime);

  // The same for the stream of a ticket.
  std::unique_ptr<net::StreamRight> make(int fd,
                                         SessionStream session,
                                         std::chrono::milliseconds lifetime);

  // While a request waits for the office, its session may be given to another one.
  class Applicant;

  // Ends the streams of a session up to a turn.
  void close(const auth::TicketOffice::Closing& closing);

  // Says how many bytes its connection has been sent when the first block is out. Without it, the
  // block counts as acknowledged.
  void set_first_block_end(const auth::TicketHash& ticket, std::uint32_t turn, std::uint64_t bytes);

  // Returns whether the other end has acknowledged the first block of the connection with this
  // turn; false also if that connection is no more.
  bool has_acknowledged(const auth::TicketHash& ticket, std::uint32_t turn) const;

  // Ends the streams whose tokens `trust` does not trust any more.
  // `trust`: nullptr: there is no authorization any more. Cost: 0.4 ms for 15,000 streams, 5 ms
  // where 10,000 other tokens and subjects are revoked.
  void set_trust(const auth::TrustPolicy* trust);

 private:
  class Right;
  using Hook =
      boost::intrusive::list_base_hook<boost::intrusive::link_mode<boost::intrusive::auto_unlink>>;

  std::optional<base::Clock::Steady> end_after(std::chrono::milliseconds lifetime) const;
  Right* find(const auth::TicketHash& ticket, std::uint32_t turn) const;

  const base::Clock& clock_;
  net::Deadlines& deadlines_;
  fanout::FanOut& fan_out_;
  boost::intrusive::
      list<Right, boost::intrusive::base_hook<Hook>, boost::intrusive::constant_time_size<false>>
          rights_;

  std::multimap<auth::TicketHash, Right*> sessions_;
  std::multimap<auth::TicketHash, Applicant*> applicants_;
};

// A request that waits for what the office says to its ticket. Lifetime: within that of `rights`.
class StreamRights::Applicant {
 public:
  Applicant(StreamRights& rights, const auth::TicketHash& ticket)
      : rights_(rights), at_(rights.applicants_.emplace(ticket, this)) {}
  Applicant(const Applicant&) = delete;
  Applicant& operator=(const Applicant&) = delete;
  ~Applicant() { rights_.applicants_.erase(at_); }

  // Returns whether the connection with this turn was to be closed before it was opened.
  bool is_closed(std::uint32_t turn) const { return turn <= closed_turn_; }

 private:
  friend class StreamRights;

  StreamRights& rights_;
  std::multimap<auth::TicketHash, Applicant*>::iterator at_;
  std::uint32_t closed_turn_ = 0;
};

}  // namespace vrelo::api
