// SPDX-License-Identifier: Apache-2.0
#include "hub/api/explained_request.h"

#include <array>
#include <utility>

#include <fmt/format.h>

namespace vrelo::api {
namespace {

http::Problem malformed(std::string_view field, std::string detail) {
  return {
      .title = "malformed explanation", .field = std::string(field), .detail = std::move(detail)};
}

// Names that somebody who copies a request's URL would bring its token in.
bool is_token_name(std::string_view name) {
  return name == "authorization" || name == "access_token" || name == "token";
}

}  // namespace

boost::system::result<ExplainedRequest, http::Problem> ExplainedRequest::read(
    const http::Request& description) {
  ExplainedRequest explained;
  explained.host_ = description.host;
  explained.token_ = description.field("Explained-Token").value_or("");
  if (description.count("Explained-Token") > 1) {
    return malformed("Explained-Token", "A request has one token.");
  }
  http::FormReader reader(description.query);
  while (const auto pair = reader.next()) {
    if (auto problem = explained.take(*pair)) {
      return *std::move(problem);
    }
  }
  if (!explained.has_action_) {
    return malformed("action", "It is publish or subscribe.");
  }
  return explained;
}

std::optional<http::Problem> ExplainedRequest::take(const http::FormPair& pair) {
  const std::string name = http::form_decode(pair.name);
  std::string value = http::form_decode(pair.value);
  if (name == "ticket") {
    return malformed(name, "A ticket opens what its token may read; that token can be explained.");
  }
  if (is_token_name(name)) {
    return malformed(name, "A token comes in the field Explained-Token, since URLs get into logs.");
  }
  if (name == "action") {
    if (value != "publish" && value != "subscribe") {
      return malformed(name, "It is publish or subscribe.");
    }
    action_ = value == "publish" ? Action::kPublish : Action::kSubscribe;
    has_action_ = true;
  } else if (name == "channel") {
    if (value != "header" && value != "cookie" && value != "query") {
      return malformed(name, "It is header, cookie or query.");
    }
    channel_ = std::move(value);
  } else if (name == "origin") {
    origin_ = std::move(value);
  } else if (name == "host") {
    host_ = std::move(value);
  } else {
    rest_.append(rest_.empty() ? "" : "&").append(pair.name).append("=").append(pair.value);
  }
  return std::nullopt;
}

auth::Channel ExplainedRequest::channel() const {
  return token_.empty()         ? auth::Channel::kNone
         : channel_ == "header" ? auth::Channel::kHeader
         : channel_ == "cookie" ? auth::Channel::kCookie
                                : auth::Channel::kQuery;
}

http::Request ExplainedRequest::request() const {
  http::Request request;
  request.host = host_;
  if (origin_) {
    request.fields.push_back({"Origin", *origin_});
  }
  if (action_ == Action::kPublish) {
    request.method = http::Method::kPost;
    request.fields.push_back({"Content-Type", http::kFormType});
    request.body = rest_;
  } else {
    request.method = http::Method::kGet;
    request.query = rest_;
  }
  return request;
}

// Returns what `act` makes of the token, as it is presented.
template <typename Act>
auto ExplainedRequest::present(std::string_view cookie_name, Act act) const {
  const auth::Channel way = channel();
  const std::string text = way == auth::Channel::kHeader ? fmt::format("Bearer {}", token_)
                           : way == auth::Channel::kCookie
                               ? fmt::format("{}={}", cookie_name, token_)
                               : std::string(token_);
  const std::array<std::string_view, 1> value{text};
  auth::Presented presented;
  if (way == auth::Channel::kHeader) {
    presented.authorization_fields = value;
  } else if (way == auth::Channel::kCookie) {
    presented.cookie_fields = value;
  } else if (way == auth::Channel::kQuery) {
    presented.query_token = text;
  }
  return act(presented);
}

auth::Result<auth::Authorization> ExplainedRequest::authorize(auth::Authenticator& authenticator,
                                                              std::string_view cookie_name) const {
  return present(cookie_name, [&](const auth::Presented& presented) {
    return authenticator.authorize(presented, role());
  });
}

auth::KeysWanted ExplainedRequest::keys_wanted(const auth::Authenticator& authenticator,
                                               std::string_view cookie_name,
                                               const boost::system::error_code& error) const {
  return present(cookie_name, [&](const auth::Presented& presented) {
    return authenticator.keys_wanted(presented, role(), error);
  });
}

}  // namespace vrelo::api
