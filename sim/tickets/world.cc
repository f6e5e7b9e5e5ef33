// SPDX-License-Identifier: Apache-2.0
#include "sim/tickets/world.h"

#include <algorithm>
#include <memory>
#include <utility>
#include <variant>

#include <fmt/format.h>

namespace vrelo::sim::tickets {
namespace {

using std::chrono_literals::operator""s;
using std::chrono_literals::operator""h;

constexpr const char* kSession = "session";

constexpr auth::TicketLimits kLimits = {.session = 1h};

// From the minting on. A session ends with its token where the ticket is used late, else before.
constexpr std::chrono::seconds kTokenTime = 1h + 5s;

const auth::Digest kSecret = auth::Digest{2};

bool look_alike(Who a, Who b) {
  const auto is_owners = [](Who who) { return who == kOwner || who == kTwin; };
  return a == b || (is_owners(a) && is_owners(b));
}

}  // namespace

World::World() : book_(kLimits) {
  const auto terms = std::make_shared<const auth::TicketTerms>(auth::TicketTerms{
      .query = "", .session = kSession, .label = "", .issuer = "", .claims = {}, .epoch = 1});
  book_.mint(now_,
             {.hash = the_ticket(), .terms = terms, .ttl = 300s, .token_end = now_ + kTokenTime});
  keep();
  minted_ = *kept_;
}

// Everything that has changed is on the disk.
void World::keep() {
  for (const Book::Change& change : book_.changes()) {
    kept_ = change.record == nullptr ? std::nullopt : std::optional(*change.record);
  }
  is_proof_unkept_ = false;
  is_end_unkept_ = false;
  kept_for_.reset();
}

std::string World::proof_of(std::uint32_t turn) const {
  return turn == 0 ? "" : auth::make_proof(kSecret, kSession, turn);
}

// The line that the session has, as far as one is open.
const Line* World::holder() const {
  const auto at = std::find_if(lines_.begin(), lines_.end(),
                               [this](const Line& line) { return line.turn == given_; });
  return at == lines_.end() ? nullptr : &*at;
}

bool World::is_waiting(Who who) const {
  return std::any_of(lines_.begin(), lines_.end(), [who](const Line& line) {
    return line.who == who && line.state == Line::State::kOpening;
  });
}

std::string World::request(Who who, const Visit& visit) {
  ++requests_;
  was_disturbed_ = was_disturbed_ || who != kOwner;
  const auto answer = serve(who, visit, Flaw::kNone);
  if (!answer) {
    return "a good request is refused";
  }
  if (const auto* const opened = std::get_if<Book::Opened>(&*answer)) {
    return take_opened(who, visit, *opened);
  }
  if (const auto* const refused = std::get_if<Book::Refused>(&*answer)) {
    return take_refused(who, *refused);
  }
  const std::vector<Book::Change> changes = book_.changes();
  const bool is_unused =
      std::all_of(changes.begin(), changes.end(), [](const Book::Change& change) {
        return change.record != nullptr && !change.record->session;
      });
  return is_unused ? "" : "a request that could not be kept uses the ticket up";
}

// The ticket is had of the shipped reader of requests alone: so redeeming is after its checks.
std::optional<World::Answer> World::serve(Who who, const Visit& visit, Flaw flaw) {
  const auto wanted = read_sent(who, proof_of(clients_.at(who).proof), flaw);
  if (!wanted || !wanted->ticket) {
    return std::nullopt;
  }
  const Book::Outcome outcome =
      ask_book({.hash = *wanted->ticket,
                .epoch = epoch_,
                .proof = wanted->proof,
                .request = wanted->fingerprint,
                .secret = kSecret,
                .shard = visit.is_full ? std::nullopt : std::optional(visit.node)});
  return keep_outcome(who, outcome, visit.disk);
}

// Never an Ask.
World::Book::Outcome World::ask_book(Book::Attempt attempt) {
  for (;;) {
    Book::Outcome outcome = book_.redeem(now_, attempt);
    const auto* const ask = std::get_if<Book::Ask>(&outcome);
    if (ask == nullptr) {
      return outcome;
    }
    const auto line = std::find_if(lines_.begin(), lines_.end(),
                                   [ask](const Line& one) { return one.turn == ask->holder.turn; });
    if (line != lines_.end() && is_reachable(*line) && line->state == Line::State::kAcknowledged) {
      return Book::Refused{.why = Book::Refusal::kUsed};
    }
    attempt.unacknowledged = ask->holder.turn;
  }
}

// As the office does it.
World::Answer World::keep_outcome(Who who, const Book::Outcome& outcome, Disk disk) {
  const auto* const opened = std::get_if<Book::Opened>(&outcome);
  if (Book::needs_commit(outcome)) {
    if (disk != Disk::kFails) {
      keep();
    }
    if (disk != Disk::kKeeps && opened != nullptr && book_.unredeem(the_ticket(), *opened)) {
      if (disk == Disk::kFailsLate) {
        kept_for_ = who;
        is_grace_over_ = false;  // it begins
      }
      return Away{};
    }
    if (disk == Disk::kFails) {
      (opened != nullptr ? is_proof_unkept_ : is_end_unkept_) = true;
    }
  }
  return opened != nullptr ? Answer(*opened) : Answer(std::get<Book::Refused>(outcome));
}

std::string World::take_opened(Who who, const Visit& visit, const Book::Opened& opened) {
  const Client& client = clients_.at(who);
  std::string fault = is_revoked_        ? "a session that was revoked goes on"
                      : has_ended_       ? "a session that was copied goes on"
                      : opened.is_first  ? check_first(opened)
                      : client.proof > 0 ? check_proof(client.proof)
                                         : check_grace(who);
  if (opened.is_first) {
    ++sessions_;
    first_ = who;
    is_grace_over_ = false;  // it begins
    session_end_ = std::min(now_ + kLimits.session, *minted_.token_end) - auth::kSessionMargin;
  }
  fault = fault.empty() ? check_end(opened) : fault;
  is_behind_ = is_behind_ && opened.turn <= given_;
  presented_ = client.proof;
  given_ = opened.turn;
  if (opened.replaced) {
    std::erase_if(lines_, [this, &opened](const Line& line) {
      return line.turn <= opened.replaced->turn && is_reachable(line);
    });
  }
  lines_.push_back(
      {.who = who, .turn = opened.turn, .node = visit.node, .is_short = visit.is_full});
  return fault.empty() ? check_lines() : fault;
}

std::string World::send_first_block(std::size_t line, Fate fate) {
  Line& sent = lines_.at(line);
  sent.state = fate == Fate::kArrives ? Line::State::kAcknowledged : Line::State::kOpen;
  if (fate == Fate::kArrives) {
    clients_.at(sent.who).proof = sent.turn;
  }
  return fate == Fate::kLost || sent.is_short ? break_line(line) : "";
}

std::string World::check_first(const Book::Opened& opened) {
  if (sessions_ > 0) {
    return "a ticket opens a second session";
  }
  if (is_ticket_over_) {
    return "a ticket opens a session after its time";
  }
  return opened.turn == 1 ? "" : "a session does not begin with its first turn";
}

// Where it has a connection, that ends then too.
std::string World::check_end(const Book::Opened& opened) const {
  if (over_ == Over::kTime) {
    return "a session goes on after its time";
  }
  if (over_ == Over::kAbsence) {
    return "a session goes on that had no connection for long";
  }
  return opened.end == session_end_ ? "" : "a stream ends at another time than its session";
}

// Whether who has no proof may get in.
std::string World::check_grace(Who who) const {
  if (sessions_ == 0) {
    return "a session goes on that nobody was told of";
  }
  if (!look_alike(who, first_)) {
    return "another request gets in without a proof";
  }
  if (is_grace_over_) {
    return "a request gets in without a proof after the grace";
  }
  if (presented_ > 0) {
    return "a request gets in without a proof after one was shown";
  }
  const Line* const line = holder();
  if (line != nullptr && line->state == Line::State::kAcknowledged && is_reachable(*line)) {
    return "a request gets in while the first block was acknowledged";
  }
  return "";
}

std::string World::check_proof(std::uint32_t turn) const {
  const bool is_current = turn == presented_ || turn >= given_;
  return is_current || is_behind_ ? "" : "a proof gets in that another client has gone beyond";
}

std::string World::take_refused(Who who, const Book::Refused& refused) {
  Client& client = clients_.at(who);
  client.gave_up = true;
  if (refused.why == Book::Refusal::kCopied) {
    has_ended_ = true;
    if (refused.ended) {
      std::erase_if(lines_,
                    [&refused](const Line& line) { return line.turn <= refused.ended->turn; });
    }
  }
  if (was_disturbed_ || who != kOwner || epoch_ > 1 || is_revoked_ || is_over() ||
      (is_ticket_over_ && sessions_ == 0)) {
    return "";
  }
  if (client.proof > 0) {
    return "the owner is refused with its newest proof";
  }
  const Line* const line = holder();
  const bool has_grace =
      !is_grace_over_ && (line == nullptr || line->state != Line::State::kAcknowledged);
  return has_grace || sessions_ == 0 ? "the owner is refused within the grace" : "";
}

std::string World::flawed_requests(Who who) {
  const std::string before = key();
  for (const auto& [flaw, name] : kFlaws) {
    if (serve(who, {}, flaw) || key() != before) {
      return fmt::format("a request with {} uses the ticket up", name);
    }
  }
  return "";
}

std::string World::check_lines() const {
  const bool is_alone = std::all_of(lines_.begin(), lines_.end(), [this](const Line& line) {
    return line.turn == given_ || line.is_short || !is_reachable(line);
  });
  return is_alone ? "" : "a session has two connections";
}

std::string World::break_line(std::size_t line) {
  book_.leave(now_, the_ticket(), lines_.at(line).turn);
  lines_.erase(lines_.begin() + static_cast<std::ptrdiff_t>(line));
  return "";
}

std::string World::steal_proof() {
  clients_.at(kProofThief).proof = clients_.at(kOwner).proof;
  return "";
}

std::string World::write_late() {
  keep();
  return "";
}

std::string World::crash() {
  if (kept_for_) {
    sessions_ = 1;
    first_ = *std::exchange(kept_for_, std::nullopt);
    given_ = kept_->session->given;
    session_end_ = kept_->session->end;
  }
  presented_ = std::exchange(is_proof_unkept_, false) ? 0 : presented_;
  if (std::exchange(is_end_unkept_, false)) {
    has_ended_ = false;
    is_revoked_ = false;
  }
  is_behind_ = is_behind_ || (kept_ && kept_->session && kept_->session->given != given_);
  lines_.clear();
  book_ = Book(kLimits);
  if (kept_) {
    book_.restore(now_, the_ticket(), *kept_);
  }
  return "";
}

std::string World::put_back_backup() {
  kept_ = minted_;
  kept_for_.reset();
  ++epoch_;  // with the log's backup begins a new one
  return crash();
}

std::string World::let_grace_pass() {
  now_ += 10s;
  is_grace_over_ = true;
  return "";
}

// The grace, too; but no session.
std::string World::let_ticket_pass() {
  now_ += 300s;
  is_ticket_over_ = true;
  is_grace_over_ = true;
  return "";
}

// Each of its streams ends by its own clock.
std::string World::let_session_pass() {
  now_ = session_end_;
  over_ = Over::kTime;
  lines_.clear();
  return "";
}

std::string World::let_absence_pass() {
  now_ += kLimits.absence_max;
  over_ = Over::kAbsence;
  book_.expire(now_);  // the office looks each second, and writes that down
  keep();
  return "";
}

std::string World::revoke(Disk disk) {
  const auto ended = book_.end_session(now_, kSession);
  if (ended && ended->holder) {
    std::erase_if(lines_, [&ended](const Line& line) { return line.turn <= ended->holder->turn; });
  }
  is_revoked_ = ended.has_value();
  if (is_revoked_ && disk == Disk::kKeeps) {
    keep();  // before the administrator is told
  } else {
    is_end_unkept_ = is_end_unkept_ || is_revoked_;  // of which the administrator is told
  }
  return "";
}

// Its connections stay, and who asks after them gets no answer.
std::string World::cut_first_node(bool is_cut) {
  is_cut_ = is_cut;
  if (!is_cut) {
    // What was replaced meanwhile is closed as soon as the node hears of it.
    std::erase_if(lines_, [this](const Line& line) { return line.turn < given_ || has_ended_; });
  }
  return "";
}

std::string World::key() const {
  std::string key =
      fmt::format("{}{}{}{}{}{}{}|{}|{}|", sessions_, int{first_}, int{has_ended_}, int{is_behind_},
                  int{was_disturbed_}, int{is_cut_}, int{is_grace_over_}, presented_, given_);
  const auto add_record = [this, &key](const auth::TicketRecord* record) {
    key += record == nullptr  ? "-"
           : !record->session ? "u"
                              : fmt::format("{},{},{},{}", record->session->presented,
                                            record->session->given, record->session->shard ? 1 : 0,
                                            now_ >= record->session->grace_end ? "over" : "grace");
    key += '|';
  };
  add_record(kept_ ? &*kept_ : nullptr);
  for (const Book::Change& change : book_.changes()) {
    add_record(change.record);
  }
  key +=
      fmt::format("{}{}{}{}{}{}|", int{is_ticket_over_}, int{is_revoked_}, static_cast<int>(over_),
                  int{is_proof_unkept_}, int{is_end_unkept_}, kept_for_ ? int{*kept_for_} : -1);
  key += fmt::format("{}|{}|{}", book_.size(), epoch_, requests_);
  for (const Client& client : clients_) {
    key += fmt::format("|{}{}", client.proof, client.gave_up ? "x" : "");
  }
  for (const Line& line : lines_) {
    key += fmt::format("|{},{},{},{}{}", int{line.who}, line.turn, line.node,
                       static_cast<int>(line.state), line.is_short ? "s" : "");
  }
  return key;
}

}  // namespace vrelo::sim::tickets
