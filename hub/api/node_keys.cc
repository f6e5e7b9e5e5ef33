// SPDX-License-Identifier: Apache-2.0
//
// Whom a node trusts: what is configured, with the keys that were fetched and without what is
// revoked.
#include <memory>
#include <span>
#include <utility>

#include <boost/asio/post.hpp>

#include "hub/api/node.h"
#include "hub/net/asio_alarm.h"
#include "hub/net/https_get.h"

namespace vrelo::api {

FetchedKeys::Parts Node::key_parts() {
  FetchedKeys::Fetch fetch = parts_.fetch;
  if (!fetch) {
    fetch = [executor = executor_](net::HttpsRequest request, net::Fetched fetched) {
      return net::https_get(executor, std::move(request), std::move(fetched));
    };
  }
  return {.clock = parts_.clock,
          .logger = parts_.logger,
          .make_alarm = net::asio_alarms(executor_),
          .fetch = std::move(fetch),
          .on_change = [this] {
            set_trust();
            post_policy();
          }};
}

void Node::follow_issuers() {
  fetched_keys_->follow(configured_trust_ == nullptr ? std::span<const auth::Issuer>()
                                                     : configured_trust_->issuers);
}

void Node::set_trust() {
  if (configured_trust_ == nullptr) {
    trust_ = nullptr;
    return;
  }
  auto trust = std::make_shared<auth::TrustPolicy>(*configured_trust_);
  fetched_keys_->add_to(trust->issuers);
  if (revocations_.size() > 0) {
    trust->revocations = std::make_shared<const auth::Revocations>(revocations_);
  }
  trust_ = std::move(trust);
}

void Node::want_keys(auth::KeysWanted wanted, std::function<void(bool)> done) {
  boost::asio::post(executor_, [this, wanted = std::move(wanted), done = std::move(done)] {
    if (fetched_keys_) {  // else it is stopped
      fetched_keys_->want(wanted, done);
    }
  });
}

}  // namespace vrelo::api
