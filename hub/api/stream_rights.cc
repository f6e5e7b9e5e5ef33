// SPDX-License-Identifier: Apache-2.0
#include "hub/api/stream_rights.h"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>

#include "hub/base/random.h"

namespace vrelo::api {
namespace {

using std::chrono_literals::operator""ms;
using Steady = base::Clock::Steady;

// How long before its token's time is over a stream ends.
constexpr std::chrono::milliseconds kBefore = 500ms;

// A token that is good for longer is looked at again then: the time until its end would not fit
// into the clock's. No stream's lifetime is longer.
constexpr std::chrono::hours kLongest{24 * 365};

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

  const auth::VerifiedToken* token() const { return token_.get(); }

  void revoke() {
    reason_ = "revoked";
    set(rights_.clock_.steady());
  }

 private:
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
    set(next);
  }

  void on_deadline() override {
    if (reason_.empty()) {
      set_time();
      return;
    }
    rights_.fan_out_.end(fd_, reason_);  // destroys this
  }

  StreamRights& rights_;
  const int fd_;
  const std::shared_ptr<const auth::VerifiedToken> token_;  // nullptr: there is none
  const auth::Quota::Place place_;
  const std::optional<Steady> end_;
  std::string_view reason_;  // of what comes next; "": nothing comes, but to look again
};

StreamRights::StreamRights(const base::Clock& clock,
                           net::Deadlines& deadlines,
                           fanout::FanOut& fan_out)
    : clock_(clock), deadlines_(deadlines), fan_out_(fan_out) {}

StreamRights::~StreamRights() = default;

std::unique_ptr<net::StreamRight> StreamRights::make(
    int fd,
    std::shared_ptr<const auth::VerifiedToken> token,
    auth::Quota::Place place,
    std::chrono::milliseconds lifetime) {
  std::optional<Steady> end;
  if (lifetime.count() > 0) {
    const auto tenth = static_cast<std::uint64_t>(lifetime.count()) / 10 + 1;
    const auto shorter = static_cast<std::int64_t>(base::random_value() % tenth);
    end = clock_.steady() + lifetime - std::chrono::milliseconds(shorter);
  }
  if (token == nullptr && !end) {
    return nullptr;
  }
  auto right = std::make_unique<Right>(*this, fd, std::move(token), std::move(place), end);
  rights_.push_back(*right);
  return right;
}

void StreamRights::set_trust(const auth::TrustPolicy* trust) {
  for (Right& right : rights_) {
    const auth::VerifiedToken* const token = right.token();
    if (token != nullptr && (trust == nullptr || trust->is_revoked(*token) ||
                             !auth::is_trusted(*token, auth::Role::kSubscribe, trust->issuers))) {
      right.revoke();
    }
  }
}

}  // namespace vrelo::api
