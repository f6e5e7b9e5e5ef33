// SPDX-License-Identifier: Apache-2.0
#include "hub/auth/ticket_book.h"

#include <algorithm>
#include <cassert>

namespace vrelo::auth {
namespace {

using std::chrono_literals::operator""min;

// What a record weighs besides its terms: itself, and its places in the indexes.
constexpr std::size_t kEntryBytes = 512;

std::size_t bytes_of(const TicketRecord& record) {
  return kEntryBytes + record.terms->bytes();
}

std::string owner_name(const TicketTerms& terms) {
  return std::to_string(terms.issuer.size()) + ":" + terms.issuer +
         terms.claims.subject.value_or("");
}

}  // namespace

TicketBook::Result TicketBook::mint(StoreTime now, const Order& order) {
  expire(now);
  if (order.token_end && *order.token_end - kSessionMargin <= now) {
    return TokenOver{};
  }
  TicketRecord record{
      .terms = order.terms, .ticket_end = now + order.ttl, .token_end = order.token_end};
  StoreTime session_end = now + limits_.session;
  if (order.token_end) {
    record.ticket_end = std::min(record.ticket_end, *order.token_end);
    session_end = std::min(session_end, *order.token_end);
  }
  Owner& owner = owner_of(record);
  if (now >= owner.minute_end) {
    owner.minute_end = now + 1min;
    owner.minted = 0;
  }
  if (owner.minted >= order.minted_max.value_or(limits_.minted_max)) {
    return TooMany{.retry = owner.minute_end - now};
  }
  const std::uint64_t unused_max = order.unused_max.value_or(limits_.unused_max);
  switch (room_for(record, owner, unused_max)) {
    case Room::kNoneForOwner:
      return TooMany{};
    case Room::kNone:
      return Full{};
    case Room::kEnough:
      break;
  }
  ++owner.minted;
  Minted minted{.expires_in = record.ticket_end - now, .session_expires_in = session_end - now};
  while (!owner.unused.empty() && owner.unused.size() >= unused_max) {
    const auto oldest = entries_.find(owner.unused.begin()->second);
    minted.died.push_back(
        {.hash = oldest->first, .record = oldest->second.record, .number = oldest->second.number});
    erase(oldest);
  }
  insert(order.hash, std::move(record), next_number_++);
  changed_.insert(order.hash);
  return minted;
}

// Whether one more fits in, where the owner's oldest unused tickets die for it.
TicketBook::Room TicketBook::room_for(const TicketRecord& record,
                                      const Owner& owner,
                                      std::uint64_t unused_max) const {
  std::size_t dying = 0;
  std::size_t unused = owner.unused.size();
  for (auto at = owner.unused.begin(); at != owner.unused.end() && unused >= unused_max;
       ++at, --unused) {
    dying += bytes_of(entries_.find(at->second)->second.record);
  }
  const std::size_t added = bytes_of(record);
  const std::size_t left = owner.bytes - dying;
  const std::size_t bytes = bytes_ - dying + added;
  if (left > 0 && bytes + left + added > limits_.bytes_max) {
    return Room::kNoneForOwner;
  }
  return bytes > limits_.bytes_max ? Room::kNone : Room::kEnough;
}

void TicketBook::insert(const TicketHash& hash, TicketRecord record, std::uint64_t number) {
  bytes_ += bytes_of(record);
  const auto [at, is_new] =
      entries_.try_emplace(hash, Entry{.record = std::move(record), .number = number});
  assert(is_new);
  Owner& owner = owner_of(at->second.record);
  owner.bytes += bytes_of(at->second.record);
  if (!at->second.record.session) {
    owner.unused.emplace(number, hash);
  }
  set_due(hash, at->second);
}

TicketTermsPtr TicketBook::find(StoreTime now, const TicketHash& hash) {
  expire(now);
  const auto at = entries_.find(hash);
  return at == entries_.end() ? nullptr : at->second.record.terms;
}

TicketBook::Outcome TicketBook::redeem(StoreTime now, const Attempt& attempt) {
  expire(now);
  const auto at = entries_.find(attempt.hash);
  if (at == entries_.end()) {
    return Refused{.why = Refusal::kUnknown};
  }
  TicketRecord& record = at->second.record;
  // A backup may hold tickets unused that are used since; with it begins a new epoch.
  if (record.terms->epoch != attempt.epoch) {
    return Refused{.why = Refusal::kOtherEpoch};
  }
  if (!record.session) {
    StoreTime end = now + limits_.session;
    if (record.token_end) {
      end = std::min(end, *record.token_end);
    }
    end -= kSessionMargin;
    if (end <= now) {
      return Refused{.why = Refusal::kUnknown};
    }
    record.session = TicketRecord::Session{.secret = attempt.secret,
                                           .first_request = attempt.request,
                                           .grace_end = now + limits_.grace,
                                           .end = end};
    owner_of(record).unused.erase(at->second.number);
    Outcome outcome = accept(now, at, attempt, 0);
    std::get<Opened>(outcome).is_first = true;
    return outcome;
  }

  const TicketRecord::Session& session = *record.session;
  const auto proven = proven_turn(attempt.proof, session.secret, record.terms->session);
  if (proven) {
    if (*proven == session.presented || *proven >= session.given) {
      return accept(now, at, attempt, *proven);
    }
    Refused refused{.why = Refusal::kCopied};
    if (session.shard) {
      refused.ended = Holder{.shard = *session.shard, .turn = session.given};
    }
    erase(at);
    return refused;
  }
  if (session.presented != 0 || now >= session.grace_end ||
      attempt.request != session.first_request) {
    return Refused{.why = Refusal::kUsed};
  }
  if (session.shard && attempt.unacknowledged != session.given) {
    return Ask{.holder = {.shard = *session.shard, .turn = session.given}};
  }
  return accept(now, at, attempt, 0);
}

bool TicketBook::needs_commit(const Outcome& outcome) {
  const auto* const opened = std::get_if<Opened>(&outcome);
  const auto* const refused = std::get_if<Refused>(&outcome);
  return (opened != nullptr && (opened->is_first || opened->is_first_proof)) ||
         (refused != nullptr && refused->why == Refusal::kCopied);
}

// Gives the next turn to who has shown `turn`.
TicketBook::Outcome TicketBook::accept(StoreTime now,
                                       Entries::iterator at,
                                       const Attempt& attempt,
                                       std::uint32_t turn) {
  TicketRecord::Session& session = *at->second.record.session;
  const std::uint32_t next = std::max(session.given, turn) + 1;
  if (next > kTurnMax) {
    erase(at);  // hardly ever: thousands of turns a second, for an hour
    return Refused{.why = Refusal::kUnknown};
  }
  Opened opened{.turn = next,
                .proof = make_proof(session.secret, at->second.record.terms->session, next),
                .end = session.end};
  if (session.shard) {
    opened.replaced = Holder{.shard = *session.shard, .turn = session.given};
  }
  opened.is_first_proof = session.presented == 0 && turn != 0;
  session.presented = turn;
  session.given = next;
  session.shard = attempt.shard;
  session.absent_since = now;
  set_due(at->first, at->second);
  changed_.insert(at->first);
  return opened;
}

void TicketBook::leave(StoreTime now, const TicketHash& hash, std::uint32_t turn) {
  const auto at = entries_.find(hash);
  if (at == entries_.end() || !at->second.record.session ||
      at->second.record.session->given != turn) {
    return;
  }
  at->second.record.session->shard.reset();
  at->second.record.session->absent_since = now;
  set_due(hash, at->second);
}

std::optional<TicketBook::Ended> TicketBook::end_session(StoreTime now,
                                                         const std::string& session) {
  expire(now);
  const auto at = std::find_if(entries_.begin(), entries_.end(), [&session](const auto& entry) {
    return entry.second.record.terms->session == session;
  });
  if (at == entries_.end()) {
    return std::nullopt;
  }
  Ended ended{.hash = at->first};
  const auto& open = at->second.record.session;
  if (open && open->shard) {
    ended.holder = Holder{.shard = *open->shard, .turn = open->given};
  }
  erase(at);
  return ended;
}

void TicketBook::unmint(const TicketHash& hash, const Minted& minted) {
  if (const auto at = entries_.find(hash); at != entries_.end()) {
    Owner& owner = owner_of(at->second.record);
    owner.minted -= std::min<std::uint64_t>(owner.minted, 1);  // another minute may have begun
    erase(at);
  }
  for (const Died& died : minted.died) {
    insert(died.hash, died.record, died.number);
    changed_.insert(died.hash);
  }
}

bool TicketBook::unredeem(const TicketHash& hash, const Opened& opened) {
  if (!opened.is_first) {
    return false;
  }
  if (const auto at = entries_.find(hash); at != entries_.end()) {
    at->second.record.session.reset();
    owner_of(at->second.record).unused.emplace(at->second.number, hash);
    set_due(hash, at->second);
    changed_.insert(hash);
  }
  return true;
}

std::vector<TicketBook::Change> TicketBook::changes() const {
  std::vector<Change> changes;
  for (const TicketHash& hash : changed_) {
    const auto at = entries_.find(hash);
    changes.push_back(
        {.hash = hash, .record = at == entries_.end() ? nullptr : &at->second.record});
  }
  return changes;
}

void TicketBook::restore(StoreTime now, const TicketHash& hash, TicketRecord record) {
  if (record.session) {
    record.session->shard.reset();
    record.session->absent_since = now;
  }
  insert(hash, std::move(record), next_number_++);
  expire(now);
}

void TicketBook::expire(StoreTime now) {
  while (!due_.empty() && due_.begin()->first <= now) {
    erase(entries_.find(due_.begin()->second));
  }
  forget_owners(now);
}

void TicketBook::erase(Entries::iterator at) {
  assert(at != entries_.end());
  Owner& owner = owner_of(at->second.record);
  owner.bytes -= bytes_of(at->second.record);
  owner.unused.erase(at->second.number);
  due_.erase({at->second.due, at->first});
  changed_.insert(at->first);
  bytes_ -= bytes_of(at->second.record);
  entries_.erase(at);
}

void TicketBook::set_due(const TicketHash& hash, Entry& entry) {
  due_.erase({entry.due, hash});
  const auto& session = entry.record.session;
  if (!session) {
    entry.due = entry.record.ticket_end;
  } else if (session->shard) {
    entry.due = session->end;
  } else {
    entry.due = std::min(session->end, session->absent_since + limits_.absence_max);
  }
  due_.insert({entry.due, hash});
}

TicketBook::Owner& TicketBook::owner_of(const TicketRecord& record) {
  return owners_[owner_name(*record.terms)];
}

void TicketBook::forget_owners(StoreTime now) {
  if (owners_.size() < sweep_at_) {
    return;
  }
  std::erase_if(owners_, [now](const auto& owner) {
    return owner.second.bytes == 0 && now >= owner.second.minute_end;
  });
  sweep_at_ = std::max<std::size_t>(64, 2 * owners_.size());
}

}  // namespace vrelo::auth
