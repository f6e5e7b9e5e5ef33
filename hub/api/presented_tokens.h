// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "hub/auth/credentials.h"
#include "hub/http/request.h"

namespace vrelo::api {

// What of a request may hold a token.
//
// Lifetime: within that of the request.
class PresentedTokens {
 public:
  explicit PresentedTokens(const http::Request& request);

  // Lifetime: that of this object.
  auth::Presented presented() const {
    return {
        .authorization_fields = authorization_, .cookie_fields = cookies_, .query_token = query_};
  }

 private:
  std::vector<std::string_view> authorization_;
  std::vector<std::string_view> cookies_;
  std::optional<std::string> query_;
};

}  // namespace vrelo::api
