// SPDX-License-Identifier: Apache-2.0
#include "hub/auth/ticket_office.h"

#include <algorithm>

#include <boost/asio/post.hpp>

namespace vrelo::auth {
namespace {

using std::chrono_literals::operator""s;

// How far the time on the disk may be behind while there are tickets or sessions.
constexpr std::chrono::seconds kBehindMax = 4s;

// For how long nothing may be kept before sessions are not resumed any more.
constexpr std::chrono::seconds kAwayMax = 5s;

StoreTime wall_of(const base::Clock& clock) {
  return std::chrono::duration_cast<StoreTime>(clock.wall().time_since_epoch());
}

}  // namespace

TicketOffice::TicketOffice(Parts parts)
    : clock_(parts.clock),
      executor_(parts.executor),
      late_(parts.late),
      close_(std::move(parts.close)),
      on_trouble_(std::move(parts.on_trouble)),
      keeper_(std::move(parts.kept.keeper)),
      begin_(std::max(wall_of(clock_), parts.kept.last)),
      began_at_(clock_.steady()),
      kept_at_(parts.kept.last),
      book_(parts.limits),
      timer_(executor_),
      self_(std::make_shared<TicketOffice*>(this)) {
  for (auto& [hash, record] : parts.kept.tickets) {
    end_with_token(record);
    book_.restore(begin_, hash, std::move(record));
  }
  if (!parts.kept.tickets.empty()) {
    auto job = std::make_shared<Job>();  // sets the timer, on its thread
    job->act = [](StoreTime) {};
    job->answer = [](bool) {};
    submit(std::move(job));
  }
}

// The time of day may be set; what was promised for a minute lasts a minute.
StoreTime TicketOffice::now() const {
  return begin_ + std::chrono::duration_cast<StoreTime>(clock_.steady() - began_at_);
}

StoreTime TicketOffice::when(NumericDate date) const {
  constexpr NumericDate kYear = std::chrono::hours(24 * 365);
  const NumericDate left = date - NumericDate(clock_.wall().time_since_epoch());
  return now() + std::chrono::floor<StoreTime>(std::clamp(left, -kYear, kYear));
}

// While the hub did not run, the store's clock may have stood still.
void TicketOffice::end_with_token(TicketRecord& record) const {
  if (!record.terms->claims.expires) {
    return;
  }
  const StoreTime end = when(*record.terms->claims.expires);
  record.token_end = std::min(record.token_end.value_or(end), end);
  record.ticket_end = std::min(record.ticket_end, end);
  if (record.session) {
    record.session->end = std::min(record.session->end, end - kSessionMargin);
  }
}

base::Clock::Steady TicketOffice::steady_at(StoreTime time) const {
  return began_at_ + (time - begin_);
}

void TicketOffice::submit(std::shared_ptr<Job> job) {
  {
    const std::lock_guard lock(mutex_);
    if (stopped_) {
      return;
    }
    queue_.push_back(std::move(job));
    if (queue_.size() > 1) {
      return;  // the run that takes it is on its way
    }
  }
  boost::asio::post(executor_, [weak = std::weak_ptr(self_)] {
    if (const auto self = weak.lock()) {
      (*self)->run();
    }
  });
}

void TicketOffice::run() {
  std::vector<std::shared_ptr<Job>> jobs;
  {
    const std::lock_guard lock(mutex_);
    jobs.swap(queue_);
  }
  const StoreTime time = now();
  bool needs_commit = false;
  for (const auto& job : jobs) {
    job->act(time);
    needs_commit = needs_commit || job->needs_commit;
  }
  const bool is_kept = !needs_commit || commit(time);
  for (auto job = jobs.rbegin(); !is_kept && job != jobs.rend(); ++job) {
    if ((*job)->take_back) {
      (*job)->take_back();
    }
  }
  for (const auto& job : jobs) {
    job->answer(is_kept);
  }
  taken_back_.clear();
  set_timer();
}

bool TicketOffice::commit(StoreTime now) {
  if (!keeper_) {
    book_.settle();
    return true;
  }
  const auto kept = keeper_->keep(book_.changes(), now);
  if (!kept) {
    if (!away_since_) {
      away_since_ = clock_.steady();
    }
    on_trouble_(kept.error());
    return false;
  }
  away_since_.reset();
  kept_at_ = now;
  book_.settle();
  return true;
}

// For what is written late, the time among it.
void TicketOffice::set_timer() {
  if (is_timer_set_ || !keeper_ || (!book_.has_changes() && !away_since_ && book_.size() == 0)) {
    return;
  }
  is_timer_set_ = true;
  timer_.expires_after(late_);
  timer_.async_wait([weak = std::weak_ptr(self_)](const boost::system::error_code& error) {
    const auto self = weak.lock();
    if (self != nullptr && !error) {
      (*self)->is_timer_set_ = false;
      (*self)->tick();
      (*self)->set_timer();
    }
  });
}

void TicketOffice::tick() {
  const StoreTime time = now();
  book_.expire(time);  // or the last one to end would be written about for ever
  if (book_.has_changes() || away_since_ || time - kept_at_ >= kBehindMax) {
    commit(time);
  }
}

bool TicketOffice::is_away() const {
  return away_since_ && clock_.steady() - *away_since_ >= kAwayMax;
}

void TicketOffice::mint(const TicketBook::Order& order, std::function<void(Minted)> done) {
  auto job = std::make_shared<Job>();
  auto minted = std::make_shared<Minted>(Away{});
  job->act = [this, job = job.get(), minted, order](StoreTime now) {
    std::visit([&minted](const auto& result) { *minted = result; }, book_.mint(now, order));
    job->needs_commit = std::holds_alternative<TicketBook::Minted>(*minted);
  };
  job->take_back = [this, hash = order.hash, minted] {
    if (const auto* const good = std::get_if<TicketBook::Minted>(minted.get())) {
      book_.unmint(hash, *good);
      for (const TicketBook::Died& died : good->died) {
        taken_back_.insert(died.hash);
      }
      *minted = Away{};
    }
  };
  job->answer = [minted, done = std::move(done)](bool) { done(*minted); };
  submit(std::move(job));
}

void TicketOffice::find(const TicketHash& hash, std::function<void(TicketTermsPtr)> done) {
  auto job = std::make_shared<Job>();
  auto terms = std::make_shared<TicketTermsPtr>();
  job->act = [this, hash, terms](StoreTime now) { *terms = book_.find(now, hash); };
  job->answer = [this, hash, terms, done = std::move(done)](bool) {
    if (taken_back_.contains(hash)) {
      *terms = book_.find(now(), hash);
    }
    done(*terms);
  };
  submit(std::move(job));
}

void TicketOffice::redeem(const TicketBook::Attempt& attempt, std::function<void(Redeemed)> done) {
  auto job = std::make_shared<Job>();
  auto redeemed = std::make_shared<Redeemed>(Away{});
  job->act = [this, job = job.get(), redeemed, attempt](StoreTime now) {
    if (is_away()) {
      return;
    }
    const TicketBook::Outcome outcome = book_.redeem(now, attempt);
    job->needs_commit = TicketBook::needs_commit(outcome);
    std::visit([&redeemed](const auto& one) { *redeemed = one; }, outcome);
  };
  job->take_back = [this, hash = attempt.hash, redeemed] {
    const auto* const opened = std::get_if<TicketBook::Opened>(redeemed.get());
    if (opened != nullptr && book_.unredeem(hash, *opened)) {
      taken_back_.insert(hash);
    }
  };
  job->answer = [this, hash = attempt.hash, redeemed, done = std::move(done)](bool) {
    // Whoever came in the same run found it used, or dead.
    if (taken_back_.contains(hash)) {
      *redeemed = Away{};
    }
    const auto* const opened = std::get_if<TicketBook::Opened>(redeemed.get());
    const auto* const refused = std::get_if<TicketBook::Refused>(redeemed.get());
    if (opened != nullptr && opened->replaced) {
      close_({.hash = hash, .holder = *opened->replaced, .why = Why::kReplaced});
    }
    if (refused != nullptr && refused->ended) {
      close_({.hash = hash, .holder = *refused->ended, .why = Why::kCopied});
    }
    done(*redeemed);
  };
  submit(std::move(job));
}

void TicketOffice::end_session(std::string session, std::function<void(SessionEnd)> done) {
  auto job = std::make_shared<Job>();
  auto ended = std::make_shared<std::optional<TicketBook::Ended>>();
  job->act = [this, job = job.get(), session = std::move(session), ended](StoreTime now) {
    *ended = book_.end_session(now, session);
    job->needs_commit = ended->has_value();
  };
  job->answer = [this, ended, done = std::move(done)](bool is_kept) {
    if (*ended && (*ended)->holder) {
      close_({.hash = (*ended)->hash, .holder = *(*ended)->holder, .why = Why::kRevoked});
    }
    done(!*ended ? SessionEnd::kUnknown : !is_kept ? SessionEnd::kNotKept : SessionEnd::kEnded);
  };
  submit(std::move(job));
}

void TicketOffice::leave(const TicketHash& hash, std::uint32_t turn) {
  auto job = std::make_shared<Job>();
  job->act = [this, hash, turn](StoreTime now) { book_.leave(now, hash, turn); };
  job->answer = [](bool) {};
  submit(std::move(job));
}

void TicketOffice::set_limits(const TicketLimits& limits) {
  book_.set_limits(limits);
}

void TicketOffice::stop() {
  {
    const std::lock_guard lock(mutex_);
    if (std::exchange(stopped_, true)) {
      return;
    }
    queue_.clear();
  }
  self_.reset();
  timer_.cancel();
  if (book_.has_changes() || book_.size() > 0) {
    commit(now());
  }
}

}  // namespace vrelo::auth
