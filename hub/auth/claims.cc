// SPDX-License-Identifier: Apache-2.0
#include "hub/auth/claims.h"

#include <algorithm>
#include <array>
#include <locale>
#include <utility>

#include <boost/algorithm/string/predicate.hpp>
#include <boost/json/serialize.hpp>

#include "hub/auth/json.h"
#include "hub/base/text.h"

namespace vrelo::auth {
namespace {

namespace json = boost::json;

constexpr const char* kDetails = "authorization_details";

// The claim of 0.x, and what some of its hubs call it.
constexpr std::array<const char*, 2> kMercureClaims{"mercure", "https://mercure.rocks/"};

constexpr double kNumericDateMax = 9007199254740992;  // 2^53

bool is_access_token(const std::optional<std::string>& type) {
  const auto is = [&type](const char* name) {
    return boost::algorithm::iequals(*type, name, std::locale::classic());
  };
  return type && (is("at+jwt") || is("application/at+jwt"));
}

const json::value* find_mercure_claim(const json::object& payload) {
  for (const char* const name : kMercureClaims) {
    if (const json::value* const claim = payload.if_contains(name)) {
      return claim;
    }
  }
  return nullptr;
}

Result<void> read_text(const json::object& object,
                       const char* name,
                       Errc errc,
                       std::optional<std::string>& text) {
  if (const json::value* const member = object.if_contains(name)) {
    if (!member->is_string()) {
      return errc;
    }
    text = text_of(member->get_string());
  }
  return {};
}

Result<void> read_time(const json::object& object,
                       const char* name,
                       std::optional<NumericDate>& time) {
  if (const json::value* const member = object.if_contains(name)) {
    boost::system::error_code error;
    const auto seconds = member->is_number() ? member->to_number<double>(error) : -1;
    // Written so that it also refuses what is not a number.
    if (error || !(seconds >= 0 && seconds <= kNumericDateMax)) {
      return Errc::kTimeMalformed;
    }
    time = NumericDate(seconds);
  }
  return {};
}

Result<void> read_audience(const json::object& payload, std::vector<std::string>& audience) {
  const json::value* const member = payload.if_contains("aud");
  if (member == nullptr) {
    return {};
  }
  if (member->is_string()) {
    audience = {text_of(member->get_string())};
    return {};
  }
  if (!member->is_array() || member->get_array().empty()) {
    return Errc::kAudienceMalformed;
  }
  for (const json::value& name : member->get_array()) {
    if (!name.is_string()) {
      return Errc::kAudienceMalformed;
    }
    audience.push_back(text_of(name.get_string()));
  }
  return {};
}

// Reads one text that topics are matched by. `kind` is what it is unless it is "*".
Result<TopicMatcher> read_matcher(const json::value& value, TopicMatcher::Kind kind) {
  if (!value.is_string()) {
    return Errc::kMatcherMalformed;
  }
  std::string text = text_of(value.get_string());
  if (text.size() > kMatcherBytesMax) {
    return Errc::kDetailsTooMany;
  }
  // In 0.x no text is wrong; one that no topic can be matches nothing.
  if (kind != TopicMatcher::Kind::kUriTemplate && base::find_fault(text)) {
    return Errc::kMatcherMalformed;
  }
  if (text == "*") {
    return TopicMatcher{.kind = TopicMatcher::Kind::kAll};
  }
  return TopicMatcher{.kind = kind, .text = std::move(text)};
}

Result<TopicMatcher> read_topic(const json::value& value) {
  if (!value.is_object()) {
    return Errc::kTopicsMalformed;
  }
  const json::object& topic = value.get_object();
  auto kind = TopicMatcher::Kind::kExact;
  if (const json::value* const type = topic.if_contains("match_type")) {
    if (!type->is_string() ||
        (type->get_string() != "exact" && type->get_string() != "urlpattern")) {
      return Errc::kMatchTypeUnknown;
    }
    if (type->get_string() == "urlpattern") {
      kind = TopicMatcher::Kind::kUrlPattern;
    }
  }
  const json::value* const match = topic.if_contains("match");
  if (match == nullptr) {
    return Errc::kMatcherMalformed;
  }
  return read_matcher(*match, kind);
}

Result<void> read_actions(const json::object& object, Detail& detail) {
  const json::value* const actions = object.if_contains("actions");
  if (actions == nullptr || !actions->is_array() || actions->get_array().empty()) {
    return Errc::kActionsMalformed;
  }
  for (const json::value& action : actions->get_array()) {
    if (!action.is_string()) {
      return Errc::kActionsMalformed;
    }
    detail.allows_publish |= action.get_string() == "publish";
    detail.allows_subscribe |= action.get_string() == "subscribe";
  }
  return {};
}

Result<Detail> read_detail(const json::object& object) {
  Detail detail;
  if (const auto read = read_actions(object, detail); !read) {
    return read.error();
  }
  const json::value* const topics = object.if_contains("topics");
  if (topics == nullptr || !topics->is_array() || topics->get_array().empty()) {
    return Errc::kTopicsMalformed;
  }
  if (topics->get_array().size() > kMatchersMax) {
    return Errc::kDetailsTooMany;
  }
  for (const json::value& topic : topics->get_array()) {
    auto matcher = read_topic(topic);
    if (!matcher) {
      return matcher.error();
    }
    detail.topics.push_back(std::move(*matcher));
  }
  if (const json::value* const payload = object.if_contains("payload")) {
    if (!payload->is_object()) {
      return Errc::kPayloadMalformed;
    }
    detail.payload = json::serialize(*payload);
  }
  return detail;
}

// A detail of another type is somebody else's, and may look as it likes.
Result<void> read_details(const json::object& payload, std::vector<Detail>& details) {
  const json::value* const member = payload.if_contains(kDetails);
  if (member == nullptr) {
    return {};
  }
  if (!member->is_array()) {
    return Errc::kDetailsMalformed;
  }
  for (const json::value& entry : member->get_array()) {
    const json::object* const object = entry.if_object();
    const json::value* const type = object == nullptr ? nullptr : object->if_contains("type");
    if (type == nullptr || !type->is_string()) {
      return Errc::kDetailsMalformed;
    }
    if (text_of(type->get_string()) != kDetailType) {
      continue;
    }
    if (details.size() == kDetailsMax) {
      return Errc::kDetailsTooMany;
    }
    auto detail = read_detail(*object);
    if (!detail) {
      return detail.error();
    }
    details.push_back(std::move(*detail));
  }
  return {};
}

// Reads a list of 0.x; an empty one and none grant nothing.
Result<std::vector<TopicMatcher>> read_list(const json::object& claim, const char* name) {
  std::vector<TopicMatcher> list;
  const json::value* const member = claim.if_contains(name);
  if (member == nullptr) {
    return list;
  }
  if (!member->is_array()) {
    return Errc::kTopicsMalformed;
  }
  if (member->get_array().size() > kMatchersMax) {
    return Errc::kDetailsTooMany;
  }
  for (const json::value& value : member->get_array()) {
    auto matcher = read_matcher(value, TopicMatcher::Kind::kUriTemplate);
    if (!matcher) {
      return matcher.error();
    }
    list.push_back(std::move(*matcher));
  }
  return list;
}

Result<void> read_mercure_claim(const json::value& value, std::vector<Detail>& details) {
  if (!value.is_object()) {
    return Errc::kDetailsMalformed;
  }
  const json::object& claim = value.get_object();
  auto publish = read_list(claim, "publish");
  auto subscribe = read_list(claim, "subscribe");
  if (!publish || !subscribe) {
    return publish ? subscribe.error() : publish.error();
  }
  if (!publish->empty()) {
    details.push_back({.allows_publish = true, .topics = std::move(*publish)});
  }
  if (!subscribe->empty()) {
    details.push_back({.allows_subscribe = true, .topics = std::move(*subscribe)});
    if (const json::value* const payload = claim.if_contains("payload")) {
      details.back().payload = json::serialize(*payload);  // any JSON, in 0.x
    }
  }
  return {};
}

Result<void> read_registered(const json::object& payload, Claims& claims) {
  if (const auto read = read_text(payload, "iss", Errc::kIssuerMalformed, claims.issuer); !read) {
    return read;
  }
  for (const auto& [name, text] :
       {std::pair("sub", &claims.subject), std::pair("client_id", &claims.client_id),
        std::pair("jti", &claims.token_id)}) {
    if (const auto read = read_text(payload, name, Errc::kSubjectMalformed, *text); !read) {
      return read;
    }
  }
  for (const auto& [name, time] :
       {std::pair("exp", &claims.expires), std::pair("nbf", &claims.not_before),
        std::pair("iat", &claims.issued_at)}) {
    if (const auto read = read_time(payload, name, *time); !read) {
      return read;
    }
  }
  return read_audience(payload, claims.audience);
}

}  // namespace

Result<Claims> parse_claims(std::string_view payload,
                            const std::optional<std::string>& type,
                            bool takes_mercure_claim) {
  const auto object = parse_json_object(payload);
  if (!object) {
    return object.error();
  }
  Claims claims;
  const json::value* const mercure = find_mercure_claim(*object);
  if (!is_access_token(type)) {
    if (!takes_mercure_claim || mercure == nullptr || object->contains(kDetails)) {
      return Errc::kTypeRefused;
    }
    claims.form = TokenForm::kMercureClaim;
  }
  if (const auto read = read_registered(*object, claims); !read) {
    return read.error();
  }
  const auto read = claims.form == TokenForm::kAccessToken
                        ? read_details(*object, claims.details)
                        : read_mercure_claim(*mercure, claims.details);
  if (!read) {
    return read.error();
  }
  return claims;
}

Result<void> check_claims(const Claims& claims, const ClaimRules& rules, NumericDate now) {
  if (claims.form == TokenForm::kAccessToken) {
    if (claims.issuer != rules.issuer) {
      return Errc::kIssuerRefused;
    }
    if (std::none_of(claims.audience.begin(), claims.audience.end(),
                     [&rules](const std::string& name) {
                       return std::find(rules.audiences.begin(), rules.audiences.end(), name) !=
                              rules.audiences.end();
                     })) {
      return Errc::kAudienceRefused;
    }
    if (!claims.expires) {
      return Errc::kExpiryMissing;
    }
  }
  return check_times(claims, rules.leeway, now);
}

Result<void> check_times(const Claims& claims, NumericDate leeway, NumericDate now) {
  if (claims.expires && now - leeway >= *claims.expires) {
    return Errc::kExpired;
  }
  if (claims.not_before && now + leeway < *claims.not_before) {
    return Errc::kNotYetValid;
  }
  return {};
}

}  // namespace vrelo::auth
