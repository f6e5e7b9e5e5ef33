// SPDX-License-Identifier: Apache-2.0
#include "hub/api/stream_rights.h"

#include <chrono>
#include <utility>

namespace vrelo::api {
namespace {

using std::chrono_literals::operator""ms;

// How long before its token's time is over a stream ends.
constexpr std::chrono::milliseconds kBefore = 500ms;

// A token that is good for longer is asked about again then: the time until its end would not fit
// into the clock's.
constexpr std::chrono::hours kLongest{24 * 365};

}  // namespace

class StreamRights::Right final : public net::StreamRight, public Hook, private net::Deadline {
 public:
  Right(StreamRights& rights,
        int fd,
        std::shared_ptr<const auth::VerifiedToken> token,
        auth::Quota::Place place)
      : Deadline(rights.deadlines_),
        rights_(rights),
        fd_(fd),
        token_(std::move(token)),
        place_(std::move(place)) {
    set_time();
  }

  const auth::VerifiedToken& token() const { return *token_; }

  void revoke() {
    reason_ = "revoked";
    set(rights_.clock_.steady());
  }

 private:
  // How long the token is good for counts from now on, whatever becomes of the clock.
  void set_time() {
    if (!token_->claims.expires) {
      return;
    }
    const auth::NumericDate now = rights_.clock_.wall().time_since_epoch();
    const auth::NumericDate left = *token_->claims.expires - now - kBefore;
    is_last_ = left <= kLongest;
    set(rights_.clock_.steady() +
        (is_last_ ? std::chrono::duration_cast<base::Clock::Steady::duration>(left) : kLongest));
  }

  void on_deadline() override {
    if (reason_ == kExpired && !is_last_) {
      set_time();
      return;
    }
    rights_.fan_out_.end(fd_, reason_);  // destroys this
  }

  static constexpr std::string_view kExpired = "expired";

  StreamRights& rights_;
  const int fd_;
  const std::shared_ptr<const auth::VerifiedToken> token_;
  const auth::Quota::Place place_;
  std::string_view reason_ = kExpired;
  bool is_last_ = true;
};

StreamRights::StreamRights(const base::Clock& clock,
                           net::Deadlines& deadlines,
                           fanout::FanOut& fan_out)
    : clock_(clock), deadlines_(deadlines), fan_out_(fan_out) {}

StreamRights::~StreamRights() = default;

std::unique_ptr<net::StreamRight> StreamRights::make(
    int fd, std::shared_ptr<const auth::VerifiedToken> token, auth::Quota::Place place) {
  if (token == nullptr) {
    return nullptr;
  }
  auto right = std::make_unique<Right>(*this, fd, std::move(token), std::move(place));
  rights_.push_back(*right);
  return right;
}

void StreamRights::set_trust(const auth::TrustPolicy* trust) {
  for (Right& right : rights_) {
    if (trust == nullptr || trust->is_revoked(right.token()) ||
        !auth::is_trusted(right.token(), auth::Role::kSubscribe, trust->issuers)) {
      right.revoke();
    }
  }
}

}  // namespace vrelo::api
