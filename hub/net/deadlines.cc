// SPDX-License-Identifier: Apache-2.0
#include "hub/net/deadlines.h"

#include <cassert>

namespace vrelo::net {

Deadline::Deadline(Deadlines& deadlines) : deadlines_(deadlines) {
  ++deadlines_.users_;
}

Deadline::~Deadline() {
  clear();
  --deadlines_.users_;
  if (deadlines_.users_ == 0) {
    deadlines_.rest();
  }
}

void Deadline::set(base::Clock::Steady when) {
  clear();
  when_ = when;
  deadlines_.add(*this);
}

void Deadline::clear() {
  if (hook_.is_linked()) {
    deadlines_.tree_.erase(deadlines_.tree_.iterator_to(*this));
  }
}

Deadlines::Deadlines(const base::Clock& clock, const MakeAlarm& make_alarm)
    : clock_(clock), alarm_(make_alarm([this] { ring(); })) {}

Deadlines::~Deadlines() {
  assert(users_ == 0);
}

void Deadlines::add(Deadline& deadline) {
  tree_.insert(tree_.end(), deadline);  // most are later than all others
  if (!rings_at_ || deadline.when_ < *rings_at_) {
    rings_at_ = deadline.when_;
    alarm_->set(*rings_at_);
  }
}

void Deadlines::ring() {
  const base::Clock::Steady now = clock_.steady();
  // One that is set in the loop may be later than others: the alarm is set when all are known.
  rings_at_ = now;
  while (!tree_.empty() && tree_.begin()->when_ <= now) {
    Deadline& deadline = *tree_.begin();
    tree_.erase(tree_.begin());
    deadline.on_deadline();
  }
  rings_at_.reset();
  if (!tree_.empty()) {
    rings_at_ = tree_.begin()->when_;
    alarm_->set(*rings_at_);
  }
}

void Deadlines::rest() {
  if (rings_at_) {
    rings_at_.reset();
    alarm_->cancel();
  }
}

}  // namespace vrelo::net
