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

constexpr const char* kSession = "session";

const auth::Digest kSecret = auth::Digest{2};

bool look_alike(Who a, Who b) {
  const auto is_owners = [](Who who) { return who == kOwner || who == kTwin; };
  return a == b || (is_owners(a) && is_owners(b));
}

}  // namespace

World::World() : book_({}) {
  const auto terms = std::make_shared<const auth::TicketTerms>(auth::TicketTerms{
      .query = "", .session = kSession, .label = "", .issuer = "", .claims = {}, .epoch = 1});
  book_.mint(now_, {.hash = the_ticket(), .terms = terms, .ttl = 300s});
  keep();
  minted_ = *kept_;
}

// Everything that has changed is on the disk.
void World::keep() {
  for (const Book::Change& change : book_.changes()) {
    kept_ = change.record == nullptr ? std::nullopt : std::optional(*change.record);
  }
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

std::string World::request(Who who, std::size_t node) {
  ++requests_;
  was_disturbed_ = was_disturbed_ || who != kOwner;
  const auto outcome = serve(who, node, Flaw::kNone);
  if (!outcome) {
    return "a good request is refused";
  }
  if (const auto* const opened = std::get_if<Book::Opened>(&*outcome)) {
    return take_opened(who, node, *opened);
  }
  return take_refused(who, std::get<Book::Refused>(*outcome));
}

// The ticket is had of the shipped reader of requests alone: so redeeming is after its checks.
std::optional<World::Book::Outcome> World::serve(Who who, std::size_t node, Flaw flaw) {
  const auto wanted = read_sent(who, proof_of(clients_.at(who).proof), flaw);
  if (!wanted || !wanted->ticket) {
    return std::nullopt;
  }
  return ask_book({.hash = *wanted->ticket,
                   .epoch = epoch_,
                   .proof = wanted->proof,
                   .request = wanted->fingerprint,
                   .secret = kSecret,
                   .shard = node});
}

World::Book::Outcome World::ask_book(Book::Attempt attempt) {
  for (;;) {
    Book::Outcome outcome = book_.redeem(now_, attempt);
    const auto* const ask = std::get_if<Book::Ask>(&outcome);
    if (ask == nullptr) {
      if (Book::needs_commit(outcome)) {
        keep();
      }
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

std::string World::take_opened(Who who, std::size_t node, const Book::Opened& opened) {
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
  }
  is_behind_ = is_behind_ && opened.turn <= given_;
  presented_ = client.proof;
  given_ = opened.turn;
  if (opened.replaced) {
    std::erase_if(lines_, [this, &opened](const Line& line) {
      return line.turn <= opened.replaced->turn && is_reachable(line);
    });
  }
  lines_.push_back({.who = who, .turn = opened.turn, .node = node});
  return fault.empty() ? check_lines() : fault;
}

std::string World::send_first_block(std::size_t line, Fate fate) {
  Line& sent = lines_.at(line);
  if (fate == Fate::kLost) {
    return break_line(line);
  }
  sent.state = Line::State::kOpen;
  if (fate == Fate::kArrives) {
    sent.state = Line::State::kAcknowledged;
    clients_.at(sent.who).proof = sent.turn;
  }
  return "";
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

// Whether who has no proof may get in.
std::string World::check_grace(Who who) const {
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
  if (was_disturbed_ || who != kOwner || epoch_ > 1 || is_revoked_ ||
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
    if (serve(who, 0, flaw) || key() != before) {
      return fmt::format("a request with {} uses the ticket up", name);
    }
  }
  return "";
}

std::string World::check_lines() const {
  const auto open = std::count_if(lines_.begin(), lines_.end(),
                                  [this](const Line& line) { return is_reachable(line); });
  return open <= 1 ? "" : "a session has two connections";
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
  is_behind_ = is_behind_ || (kept_ && kept_->session && kept_->session->given != given_);
  lines_.clear();
  book_ = Book({});
  if (kept_) {
    book_.restore(now_, the_ticket(), *kept_);
  }
  return "";
}

std::string World::put_back_backup() {
  kept_ = minted_;
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

std::string World::revoke() {
  const auto ended = book_.end_session(now_, kSession);
  if (ended && ended->holder) {
    std::erase_if(lines_, [&ended](const Line& line) { return line.turn <= ended->holder->turn; });
  }
  is_revoked_ = ended.has_value();
  keep();  // before the administrator is told
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
  key += fmt::format("{}{}|", int{is_ticket_over_}, int{is_revoked_});
  key += fmt::format("{}|{}|{}", book_.size(), epoch_, requests_);
  for (const Client& client : clients_) {
    key += fmt::format("|{}{}", client.proof, client.gave_up ? "x" : "");
  }
  for (const Line& line : lines_) {
    key += fmt::format("|{},{},{},{}", int{line.who}, line.turn, line.node,
                       static_cast<int>(line.state));
  }
  return key;
}

}  // namespace vrelo::sim::tickets
