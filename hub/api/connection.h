// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/intrusive/list_hook.hpp>
#include <boost/system/result.hpp>

#include "hub/api/answers.h"
#include "hub/api/policy.h"
#include "hub/api/route.h"
#include "hub/auth/authenticator.h"
#include "hub/auth/ticket_office.h"
#include "hub/base/admission.h"
#include "hub/base/clock.h"
#include "hub/base/task.h"
#include "hub/http/request_parser.h"
#include "hub/http/response.h"
#include "hub/net/socket.h"
#include "hub/publish.h"

namespace vrelo::api {

class Front;
class SessionSeat;
struct MintedTicket;

// By which its Front finds a connection that was not admitted.
using TurnedAwayHook =
    boost::intrusive::list_base_hook<boost::intrusive::tag<struct TurnedAwayTag>,
                                     boost::intrusive::link_mode<boost::intrusive::auto_unlink>>;

// One HTTP connection: reads requests, acts on each, and answers in their order, until it is closed
// or has become a stream.
//
// Publishes that wait in what was received are started together, so that a sender that pipelines
// them shares commits with itself.
//
// Threads: one, the shard's.
// Lifetime: within that of its Front.
class Connection : public boost::intrusive::list_base_hook<>, public TurnedAwayHook {
 public:
  using Admitted = boost::system::result<base::Admission::Place, base::Admission::Refusal>;

  // Takes over `fd`. Where it was not admitted, its first request is told why, unless it is for
  // what the administrator reads, and it ends.
  Connection(Front& front,
             int fd,
             const boost::asio::ip::tcp::endpoint& peer,
             Listener listener,
             Admitted admitted);
  ~Connection();

  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // Serves `connection` until it ends.
  static base::Task<void> run(std::unique_ptr<Connection> connection);

  bool is_admitted() const { return admitted_.has_value(); }
  bool has_answered() const { return answered_; }
  bool is_late() const { return is_late_; }  // the Front was finishing when it came
  Listener listener() const { return listener_; }
  base::Clock::Steady accepted_at() const { return accepted_at_; }

  // Ends it as soon as what was received is answered.
  void finish();

  // Ends it now, but for what waits for the log.
  void abort();

 private:
  using Steady = base::Clock::Steady;

  enum class Next {
    kGoOn,   // to the next request
    kClose,  // the answers in out_ are the last
    kGone,   // the socket has become a stream's
  };

  // A publish that was started, and what its answer needs of its request.
  struct Publish {
    http::Framing framing;
    http::FieldLines fields;
    Steady begin;
    std::optional<boost::system::result<Published>> result = {};
  };

  using Timer =
      boost::asio::basic_waitable_timer<std::chrono::steady_clock,
                                        boost::asio::wait_traits<std::chrono::steady_clock>,
                                        base::Executor>;

  // connection.cc
  base::Task<void> serve();
  base::Task<bool> receive();
  base::Task<bool> send();
  std::optional<bool> send_at_once();
  base::Task<void> linger();
  void take_policy();
  std::size_t count_held();
  bool holds_too_much();
  void set_deadline(std::chrono::milliseconds from_now);

  // connection_acts.cc
  base::Task<Next> handle();
  base::Task<Next> act(const Route& route);
  base::Task<Next> publish();
  base::Task<Next> start_publish(log::Event event, auth::GrantPtr grant);
  base::Task<void> run_publish(Publish& publish, log::Event event, auth::GrantPtr grant);
  base::Task<void> finish_publishes();
  void answer_publishes();
  void answer(const Publish& publish);
  base::Task<Next> subscribe(const Route& route);
  base::Task<Next> answer(const Route& route);
  base::Task<void> show(Endpoint endpoint);
  base::Task<void> show_administrator(Endpoint endpoint);
  base::Task<void> explain();

  // connection_rights.cc
  enum class Tokens { kAll, kNoQuery };
  using Authorized = boost::system::result<auth::Authorization, http::Problem>;
  using RefusePage = std::optional<http::Problem> (*)(const http::Request&, const Policy&);
  base::Task<Authorized> authorize(auth::Role role,
                                   Tokens tokens = Tokens::kAll,
                                   RefusePage refuse_page = nullptr);
  Authorized authorize_at_once(auth::Role role,
                               Tokens tokens,
                               RefusePage refuse_page,
                               auth::KeysWanted& wanted);
  base::Task<bool> key_comes(auth::KeysWanted wanted);

  Next refuse(const http::Problem& problem);
  Next refuse_unread(const http::Problem& problem);
  Next refuse_unread_for_now(Obstacle obstacle);
  Next refuse_for_now(Obstacle obstacle, const Route& route);
  void note_refusal(const http::Problem& problem);
  http::Framing framing() const;
  Next after_answer() const;

  // connection_tickets.cc
  struct Claimed;
  struct Redemption;
  base::Task<Next> mint();
  void answer(const auth::TicketOffice::Minted& minted, const MintedTicket& ticket);
  base::Task<Next> redeem(const Route& route);
  base::Task<Next> redeem_last(const Route& route,
                               Redemption& redemption,
                               const std::string& proof,
                               const auth::Digest& fingerprint);
  Next open_session(const Route& route,
                    Redemption& redemption,
                    const auth::TicketBook::Opened& opened,
                    SessionSeat seat);
  using Claim = boost::system::result<Claimed, std::string_view>;
  Claim claim(const auth::TicketTermsPtr& terms);
  base::Task<Claim> claim_when_key_comes(auth::TicketTermsPtr terms);
  bool lacks_key(const auth::TicketTerms& terms) const;
  base::Task<std::optional<auth::TicketOffice::Redeemed>> apply(auth::TicketBook::Attempt attempt);
  base::Task<void> pause(std::chrono::milliseconds duration);
  Next refuse_ticket(const std::optional<auth::TicketHash>& ticket, std::string_view why);
  void note_refused_ticket(base::LogLevel level,
                           std::string_view reason,
                           const std::optional<auth::TicketHash>& ticket,
                           std::string_view why);
  Next answer_refused_ticket();

  // connection_revocations.cc
  base::Task<Next> revoke();
  base::Task<Next> end_session(const auth::Revocation& revocation);

  // Waits for what `start` lets another thread give to its callback; nullopt: the connection has to
  // end before, or it is `until`.
  template <typename T, typename Start>
  base::Task<std::optional<T>> ask(Start start, Timer::time_point until = Timer::time_point::max());

  Front& front_;
  net::Socket socket_;
  const boost::asio::ip::tcp::endpoint peer_;
  const Listener listener_;
  Admitted admitted_;
  const Steady accepted_at_;

  std::shared_ptr<const Policy> policy_;       // for the current request
  std::optional<http::RequestParser> parser_;  // never nullopt
  std::string host_;                           // the last Host that policy_ let pass
  http::FieldLines fields_;                    // of the current request's answer
  std::string out_;                            // answers that are not sent yet
  const bool is_late_;
  bool has_received_ = false;       // or tried to
  bool waits_for_request_ = false;  // and nothing of it has come
  bool answered_ = false;           // a request, at least
  bool deadline_due_ = false;       // before the next wait for bytes
  bool finishing_ = false;
  std::size_t counted_bytes_ = 0;  // in the Front's count of them

  std::deque<Publish> publishes_;       // that were started together, oldest first
  std::size_t publish_bytes_ = 0;       // of their requests
  std::size_t pending_ = 0;             // those of them without a result
  std::optional<Timer> all_published_;  // never rings: it is cancelled when pending_ gets 0

  // What ask() waits for. `done` is cancelled when there is an answer, or none is wanted.
  template <typename T>
  struct Question {
    Timer done;
    std::optional<T> answer = {};
  };
  Timer* asking_ = nullptr;  // of the question that is not answered yet
};

}  // namespace vrelo::api
