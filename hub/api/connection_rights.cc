// SPDX-License-Identifier: Apache-2.0
//
// How a connection finds out what a request may do.
#include <utility>

#include "hub/api/connection.h"
#include "hub/api/connection_ask.h"
#include "hub/api/front.h"
#include "hub/api/presented_tokens.h"
#include "hub/fetched_keys.h"

namespace vrelo::api {

// Finds out what the request may do in `role`. Waits where the key of its token may come. Where
// that comes by a cookie, `refuse_page` is asked before the token is looked at: a page that may not
// act here does not learn what it is worth, and makes the hub do no work for it.
// Errors: 400, 401 or that of `refuse_page`. Source: mercure.md R7.
base::Task<Connection::Authorized> Connection::authorize(auth::Role role,
                                                         Tokens tokens,
                                                         RefusePage refuse_page) {
  auth::KeysWanted wanted;
  Authorized may = authorize_at_once(role, tokens, refuse_page, wanted);
  if (!wanted.sources.empty() && co_await key_comes(std::move(wanted))) {
    wanted = {};
    may = authorize_at_once(role, tokens, refuse_page, wanted);
  }
  co_return may;
}

// The same without a wait. `wanted`, which is empty, gets the keys for which one would make sense.
Connection::Authorized Connection::authorize_at_once(auth::Role role,
                                                     Tokens tokens,
                                                     RefusePage refuse_page,
                                                     auth::KeysWanted& wanted) {
  if (!front_.authenticator_) {
    return auth::Authorization{.grant = front_.parts_.grant};
  }
  const PresentedTokens found(parser_->request());
  auth::Presented presented = found.presented();
  if (tokens == Tokens::kNoQuery) {
    presented.query_token.reset();
  }
  if (refuse_page != nullptr &&
      auth::is_ambient(front_.authenticator_->channel_of(presented, role))) {
    if (auto problem = refuse_page(parser_->request(), *policy_)) {
      return *std::move(problem);
    }
  }
  auto authorization = front_.authenticator_->authorize(presented, role);
  if (!authorization) {
    wanted = front_.authenticator_->keys_wanted(presented, role, authorization.error());
    return unauthorized(authorization.error(), policy_->metadata_url);
  }
  return *std::move(authorization);
}

// Waits for a key that its issuer may have published. Returns whether it makes sense to look again.
base::Task<bool> Connection::key_comes(auth::KeysWanted wanted) {
  if (!front_.takes_publishes()) {
    co_return false;
  }
  const auto comes = co_await ask<bool>(
      [this, &wanted](auto done) {
        front_.parts_.overview.want_keys(std::move(wanted), std::move(done));
      },
      front_.parts_.clock.steady() + kKeyFetchTime);
  // Meanwhile a reload may have ended authorization.
  co_return comes&&* comes&& socket_.is_open() && front_.authenticator_;
}

}  // namespace vrelo::api
