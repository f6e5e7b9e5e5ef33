// SPDX-License-Identifier: Apache-2.0
#include "hub/api/revocation_request.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>

#include <fmt/format.h>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include "hub/api/form_body.h"
#include "hub/base/text.h"
#include "hub/http/form.h"

namespace vrelo::api {
namespace {

using auth::Revocation;

http::Problem malformed(std::string_view field, std::string detail) {
  return {
      .title = "malformed revocation", .field = std::string(field), .detail = std::move(detail)};
}

std::optional<Revocation::Kind> kind_of(std::string_view name) {
  using Kind = Revocation::Kind;
  for (const Kind kind : {Kind::kToken, Kind::kSubject, Kind::kKey, Kind::kLabel, Kind::kSession}) {
    if (name == auth::name_of(kind)) {
      return kind;
    }
  }
  return std::nullopt;
}

boost::json::object object_of(const Revocation& revocation) {
  boost::json::object object;
  if (revocation.kind != Revocation::Kind::kSession) {
    object["issuer"] = revocation.issuer;
  }
  object[auth::name_of(revocation.kind)] = revocation.name;
  object["at"] = static_cast<std::int64_t>(std::floor(revocation.at.count()));
  return object;
}

}  // namespace

boost::system::result<Revocation, http::Problem> read_revocation(const http::Request& request,
                                                                 const auth::TrustPolicy& trust,
                                                                 auth::NumericDate now) {
  if (auto refused = refuse_body_type(request)) {
    return *std::move(refused);
  }
  std::optional<std::string> issuer;
  std::optional<Revocation> revocation;
  http::FormReader reader(request.body);
  while (const auto pair = reader.next()) {
    const std::string name = http::form_decode(pair->name);
    std::string value = http::form_decode(pair->value);
    const auto kind = kind_of(name);
    if (name == "issuer" && !issuer) {
      issuer = std::move(value);
    } else if (kind && !revocation) {
      if (value.empty() || value.size() > auth::kRevokedBytesMax || !base::is_utf8(value)) {
        return malformed(name,
                         fmt::format("It is UTF-8, of 1 to {} bytes.", auth::kRevokedBytesMax));
      }
      revocation = Revocation{.issuer = {}, .kind = *kind, .name = std::move(value), .at = now};
    } else if (name == "issuer" || kind) {
      return malformed(
          name, "There is one issuer, and one of token, subject, key and label; or one session.");
    } else {
      return malformed(name, "The fields are issuer, token, subject, key, label and session.");
    }
  }
  if (revocation && revocation->kind == Revocation::Kind::kSession) {
    if (issuer) {
      return malformed("issuer", "A session is named without its issuer.");
    }
    return *std::move(revocation);
  }
  const auto known =
      std::find_if(trust.issuers.begin(), trust.issuers.end(),
                   [&issuer](const auth::Issuer& one) { return one.name == issuer; });
  if (known == trust.issuers.end()) {
    return malformed("issuer", "It is the name of one of the hub's issuers.");
  }
  if (!revocation) {
    return malformed("token",
                     "One of token, subject, key, label and session says what is revoked.");
  }
  revocation->issuer = known->name;
  if (revocation->kind == Revocation::Kind::kKey) {
    return *std::move(revocation);  // as long as the key is there, it signs new tokens
  }
  // Several issuers may have one name; the one whose tokens live longest counts. An issuer's clock
  // may be ahead when a token is made, and behind when it ends.
  for (const auth::Issuer& one : trust.issuers) {
    if (one.name == known->name && one.token_lifetime == auth::NumericDate(0)) {
      revocation->until = auth::NumericDate(0);
      break;
    }
    if (one.name == known->name) {
      revocation->until =
          std::max(revocation->until, now + one.token_lifetime + 2 * trust.token_rules.leeway);
    }
  }
  return *std::move(revocation);
}

std::string revocation_json(const Revocation& revocation) {
  return boost::json::serialize(object_of(revocation)) + '\n';
}

std::string revocations_json(const auth::TrustPolicy& trust) {
  boost::json::array all;
  if (trust.revocations != nullptr) {
    for (const Revocation& revocation : trust.revocations->all()) {
      all.push_back(object_of(revocation));
    }
  }
  return boost::json::serialize(boost::json::object{{"revocations", std::move(all)}}) + '\n';
}

http::Problem not_revoked(const boost::system::error_code& error) {
  const bool is_full = error == boost::system::errc::no_space_on_device;
  return {.status = is_full ? 507 : 503,
          .title = is_full ? "too many revocations" : "revocation not kept",
          .detail = is_full ? fmt::format("At most {} are kept.", auth::kRevocationsMax)
                            : "Nothing is revoked; the hub's log says why."};
}

}  // namespace vrelo::api
