// SPDX-License-Identifier: Apache-2.0
#include "hub/api/stream_rights.h"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "hub/base/random.h"
#include "hub/fanout/blocks.h"
#include "hub/net/tcp.h"

namespace vrelo::api {
namespace {

using std::chrono_literals::operator""ms;
using Steady = base::Clock::Steady;

// How long before its token's time is over a stream ends.
constexpr std::chrono::milliseconds kBefore = 500ms;

// A token that is good for longer is looked at again then: the time until its end would not fit
// into the clock's. No stream's lifetime is longer.
constexpr std::chrono::hours kLongest{24 * 365};

// How long before its session ends a reader is told, about, but not before half of what was left is
// over: one that is told at once comes for the next ticket at once. And when it is tried again
// where the stream took nothing.
constexpr std::chrono::milliseconds kRenew = 30'000ms;
constexpr std::chrono::milliseconds kAgain = 500ms;

}  // namespace

class StreamRights::Right final : public net::StreamRight, public Hook, private net::Deadline {
 public:
  // `end`: when it has lasted long enough.
  Right(StreamRights& rights,
        int fd,
        std::shared_ptr<const auth::VerifiedToken> token,
        auth::Quota::Place place,
        std::optional<Steady> end)
      : Deadline(rights.deadlines_),
        rights_(rights),
        fd_(fd),
        token_(std::move(token)),
        place_(std::move(place)),
        end_(end) {
    set_time();
  }

  Right(StreamRights& rights, int fd, SessionStream session, std::optional<Steady> end)
      : Deadline(rights.deadlines_),
        rights_(rights),
        fd_(fd),
        place_(),
        end_(end),
        session_(std::move(session)),
        renew_at_(renew_time(rights.clock_.steady(), session_->end)) {
    at_ = rights_.sessions_.emplace(session_->seat.ticket(), this);
    set_time();
  }

  ~Right() override {
    if (session_) {
      rights_.sessions_.erase(at_);
    }
  }

  std::optional<std::uint64_t> first_block_end = {};  // of a session

  int fd() const { return fd_; }
  const std::optional<SessionStream>& session() const { return session_; }

  // Whether `trust`, which may be nullptr, still lets it be.
  bool is_good(const auth::TrustPolicy* trust, auth::NumericDate now) const {
    if (session_) {
      return trust != nullptr && auth::token_of(*session_->terms, *trust, now).has_value();
    }
    if (token_ == nullptr) {
      return trust == nullptr || trust->allows_anonymous;
    }
    return trust != nullptr && !trust->is_revoked(*token_, now) &&
           auth::is_trusted(*token_, auth::Role::kSubscribe, trust->issuers);
  }

  void revoke() {
    reason_ = "revoked";
    renews_ = false;
    set(rights_.clock_.steady());
  }

 private:
  // Another one for each stream, so that not all come for a new ticket in the same moment.
  static Steady renew_time(Steady now, Steady end) {
    const auto spread = static_cast<std::uint64_t>((kRenew * 2 / 5).count());
    const std::chrono::milliseconds before =
        kRenew - kRenew / 5 + std::chrono::milliseconds(base::random_value() % spread);
    return end - std::min<Steady::duration>(before, (end - now) / 2);
  }

  // How long the token is good for counts from now on, whatever becomes of the clock.
  void set_time() {
    const Steady now = rights_.clock_.steady();
    Steady next = end_.value_or(now + kLongest);
    reason_ = end_ ? "lifetime" : "";
    if (token_ != nullptr && token_->claims.expires) {
      const auth::NumericDate left =
          *token_->claims.expires - rights_.clock_.wall().time_since_epoch() - kBefore;
      if (left <= kLongest && now + std::chrono::duration_cast<Steady::duration>(left) <= next) {
        next = now + std::chrono::duration_cast<Steady::duration>(left);
        reason_ = "expired";
      }
    }
    if (session_ && session_->end <= next) {
      next = session_->end;
      reason_ = "expired";
    }
    renews_ = session_ && !is_told_ && renew_at_ < next;
    set(renews_ ? std::max(now, renew_at_) : next);
  }

  void on_deadline() override {
    if (renews_) {
      renew();
    } else if (reason_.empty()) {
      set_time();
    } else {
      rights_.fan_out_.end(fd_, reason_);  // destroys this
    }
  }

  void renew() {
    const Steady now = rights_.clock_.steady();
    is_told_ = true;
    set_time();
    const auto left = std::chrono::ceil<std::chrono::seconds>(session_->end - now);
    const auto told = rights_.fan_out_.tell(fd_, fanout::renew_block(left));  // may destroy this
    if (told == fanout::FanOut::Told::kBusy && now + kAgain < session_->end) {
      is_told_ = false;
      renews_ = true;
      set(now + kAgain);
    }
  }

  StreamRights& rights_;
  const int fd_;
  const std::shared_ptr<const auth::VerifiedToken> token_;  // nullptr: there is none
  const auth::Quota::Place place_;
  const std::optional<Steady> end_;
  std::string_view reason_;  // of what comes next; "": nothing comes, but to look again

  // Of a ticket's stream.
  const std::optional<SessionStream> session_;
  const Steady renew_at_{};
  bool is_told_ = false;  // that it ends soon
  bool renews_ = false;   // what comes next is to tell it
  std::multimap<auth::TicketHash, Right*>::iterator at_;
};

StreamRights::StreamRights(const base::Clock& clock,
                           net::Deadlines& deadlines,
                           fanout::FanOut& fan_out)
    : clock_(clock), deadlines_(deadlines), fan_out_(fan_out) {}

StreamRights::~StreamRights() = default;

// When a stream that begins now has lasted long enough.
std::optional<base::Clock::Steady> StreamRights::end_after(
    std::chrono::milliseconds lifetime) const {
  if (lifetime.count() <= 0) {
    return std::nullopt;
  }
  const auto tenth = static_cast<std::uint64_t>(lifetime.count()) / 10 + 1;
  const auto shorter = static_cast<std::int64_t>(base::random_value() % tenth);
  return clock_.steady() + lifetime - std::chrono::milliseconds(shorter);
}

std::unique_ptr<net::StreamRight> StreamRights::make(
    int fd,
    std::shared_ptr<const auth::VerifiedToken> token,
    auth::Quota::Place place,
    std::chrono::milliseconds lifetime) {
  const auto end = end_after(lifetime);
  if (token == nullptr && !end) {
    return nullptr;
  }
  auto right = std::make_unique<Right>(*this, fd, std::move(token), std::move(place), end);
  rights_.push_back(*right);
  return right;
}

std::unique_ptr<net::StreamRight> StreamRights::make(int fd,
                                                     SessionStream session,
                                                     std::chrono::milliseconds lifetime) {
  auto right = std::make_unique<Right>(*this, fd, std::move(session), end_after(lifetime));
  rights_.push_back(*right);
  return right;
}

void StreamRights::close(const auth::TicketOffice::Closing& closing) {
  using Why = auth::TicketOffice::Why;
  const auto [first_applicant, last_applicant] = applicants_.equal_range(closing.hash);
  for (auto at = first_applicant; at != last_applicant; ++at) {
    at->second->closed_turn_ = std::max(at->second->closed_turn_, closing.holder.turn);
  }
  std::vector<int> streams;
  const auto [first, last] = sessions_.equal_range(closing.hash);
  for (auto at = first; at != last; ++at) {
    if (at->second->session()->seat.turn() <= closing.holder.turn) {
      streams.push_back(at->second->fd());
    }
  }
  for (const int fd : streams) {
    if (closing.why == Why::kReplaced) {
      fan_out_.replace(fd);
    } else {
      fan_out_.end(fd, closing.why == Why::kCopied ? "copied" : "revoked");
    }
  }
}

StreamRights::Right* StreamRights::find(const auth::TicketHash& ticket, std::uint32_t turn) const {
  const auto [first, last] = sessions_.equal_range(ticket);
  const auto at = std::find_if(first, last, [turn](const auto& session) {
    return session.second->session()->seat.turn() == turn;
  });
  return at == last ? nullptr : at->second;
}

void StreamRights::set_first_block_end(const auth::TicketHash& ticket,
                                       std::uint32_t turn,
                                       std::uint64_t bytes) {
  if (Right* const right = find(ticket, turn)) {
    right->first_block_end = bytes;
  }
}

bool StreamRights::has_acknowledged(const auth::TicketHash& ticket, std::uint32_t turn) const {
  const Right* const right = find(ticket, turn);
  if (right == nullptr) {
    return false;
  }
  // The loop may not know yet that it has ended.
  const auto delivery = net::ask_delivery(right->fd());
  if (delivery && delivery->has_ended) {
    return false;
  }
  return !right->first_block_end || !delivery || delivery->acknowledged >= *right->first_block_end;
}

void StreamRights::set_trust(const auth::TrustPolicy* trust) {
  const auth::NumericDate now = clock_.wall().time_since_epoch();
  for (Right& right : rights_) {
    if (!right.is_good(trust, now)) {
      right.revoke();
    }
  }
}

}  // namespace vrelo::api
