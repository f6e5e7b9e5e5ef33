// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include <boost/system/result.hpp>

#include "hub/auth/authenticator.h"
#include "hub/http/form.h"
#include "hub/http/problem.h"
#include "hub/http/request.h"

namespace vrelo::api {

enum class Action { kPublish, kSubscribe };

// The request that /admin/explain is asked about, see explain().
class ExplainedRequest {
 public:
  // Reads its description.
  // Errors: 400. Lifetime: within that of the description.
  static boost::system::result<ExplainedRequest, http::Problem> read(
      const http::Request& description);

  Action action() const { return action_; }
  auth::Role role() const {
    return action_ == Action::kPublish ? auth::Role::kPublish : auth::Role::kSubscribe;
  }
  std::string_view token() const { return token_; }

  // How the token comes; kNone: there is none.
  auth::Channel channel() const;

  // As it would come. Lifetime: that of this object.
  http::Request request() const;

  // Judges its token. Errors: those of auth::Authenticator.
  auth::Result<auth::Authorization> authorize(auth::Authenticator& authenticator,
                                              std::string_view cookie_name) const;

  // Returns which keys might help, where authorize() has returned `error`.
  auth::KeysWanted keys_wanted(const auth::Authenticator& authenticator,
                               std::string_view cookie_name,
                               const boost::system::error_code& error) const;

 private:
  template <typename Act>
  auto present(std::string_view cookie_name, Act act) const;

  std::optional<http::Problem> take(const http::FormPair& pair);

  Action action_ = Action::kSubscribe;
  bool has_action_ = false;
  std::string channel_ = "header";
  std::optional<std::string> origin_;
  std::string host_;
  std::string rest_;  // its form, or its query
  std::string_view token_;
};

}  // namespace vrelo::api
