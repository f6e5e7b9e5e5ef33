// SPDX-License-Identifier: Apache-2.0
#include "hub/auth/ticket.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>

#include "hub/auth/base64url.h"
#include "hub/auth/json.h"

namespace vrelo::auth {
namespace {

namespace json = boost::json;

constexpr std::size_t kSessionBytes = 16;  // before they are text

json::value or_null(const std::optional<std::string>& text) {
  return text ? json::value(*text) : json::value(nullptr);
}

json::value or_null(const std::optional<NumericDate>& date) {
  return date ? json::value(date->count()) : json::value(nullptr);
}

// Of a member that terms_json() wrote; what is not there is null.
const json::value& member(const json::object& object, std::string_view name) {
  static const json::value none;
  const json::value* const found = object.if_contains({name.data(), name.size()});
  return found == nullptr ? none : *found;
}

std::optional<std::string> text_in(const json::object& object, std::string_view name) {
  const json::string* const text = member(object, name).if_string();
  return text == nullptr ? std::nullopt : std::optional(text_of(*text));
}

std::optional<NumericDate> date_in(const json::object& object, std::string_view name) {
  boost::json::error_code error;
  const auto number = member(object, name).to_number<double>(error);
  return error ? std::nullopt : std::optional(NumericDate(number));
}

json::array details_json(const Claims& claims) {
  json::array details;
  for (const Detail& detail : claims.details) {
    json::array topics;
    for (const TopicMatcher& matcher : detail.topics) {
      topics.push_back(json::array{static_cast<int>(matcher.kind), matcher.text});
    }
    details.push_back(
        json::object{{"topics", std::move(topics)}, {"payload", or_null(detail.payload)}});
  }
  return details;
}

bool read_topic(const json::value& value, Detail& detail) {
  const json::array* const pair = value.if_array();
  if (pair == nullptr || pair->size() != 2) {
    return false;
  }
  const std::int64_t* const kind = (*pair)[0].if_int64();
  const json::string* const text = (*pair)[1].if_string();
  if (kind == nullptr || text == nullptr || *kind < 0 ||
      *kind > static_cast<std::int64_t>(TopicMatcher::Kind::kUriTemplate)) {
    return false;
  }
  detail.topics.push_back({.kind = static_cast<TopicMatcher::Kind>(*kind), .text = text_of(*text)});
  return true;
}

bool read_detail(const json::value& value, Claims& claims) {
  const json::object* const object = value.if_object();
  const json::array* const topics =
      object == nullptr ? nullptr : member(*object, "topics").if_array();
  if (topics == nullptr) {
    return false;
  }
  Detail& detail = claims.details.emplace_back(Detail{.allows_subscribe = true});
  detail.payload = text_in(*object, "payload");
  return std::all_of(topics->begin(), topics->end(),
                     [&detail](const json::value& topic) { return read_topic(topic, detail); });
}

// Returns the key of a ticket's token; nullptr: it is none of this issuer's.
const VerifyingKey* key_of(const TicketTerms& terms, const Issuer& issuer) {
  const auto key = std::find_if(
      issuer.keys.begin(), issuer.keys.end(),
      [&terms](const NamedKey& named) { return named.key.print() == terms.key_print; });
  return issuer.name != terms.issuer || key == issuer.keys.end() ? nullptr : &key->key;
}

// Several issuers may have one name.
bool has_key(const TicketTerms& terms, const TrustPolicy& trust) {
  return std::any_of(trust.issuers.begin(), trust.issuers.end(),
                     [&terms](const Issuer& issuer) { return key_of(terms, issuer) != nullptr; });
}

}  // namespace

std::string ticket_text(const Digest& random) {
  return std::string(kTicketPrefix) + encode_base64url(raw_bytes(random));
}

std::optional<TicketHash> ticket_hash(std::string_view text) {
  if (text.size() != kTicketBytes || !text.starts_with(kTicketPrefix) ||
      !decode_base64url(text.substr(kTicketPrefix.size()))) {
    return std::nullopt;
  }
  return sha256(text);
}

std::string ticket_name(const TicketHash& hash) {
  return fmt::format("{:02x}{:02x}{:02x}{:02x}", hash[0], hash[1], hash[2], hash[3]);
}

std::string session_name(const Digest& random) {
  return encode_base64url(raw_bytes(random).substr(0, kSessionBytes));
}

std::size_t TicketTerms::bytes() const {
  std::size_t sum = sizeof(TicketTerms) + query.size() + session.size() + label.size() +
                    issuer.size() + kid.value_or("").size();
  for (const auto* const text : {&claims.issuer, &claims.subject, &claims.token_id}) {
    sum += text->value_or("").size();
  }
  for (const Detail& detail : claims.details) {
    sum += sizeof(Detail) + detail.payload.value_or("").size();
    for (const TopicMatcher& matcher : detail.topics) {
      sum += sizeof(TopicMatcher) + matcher.text.size();
    }
  }
  return sum;
}

Claims reader_claims(const Claims& claims) {
  Claims reader{.form = claims.form,
                .issuer = claims.issuer,
                .subject = claims.subject,
                .token_id = claims.token_id,
                .expires = claims.expires,
                .issued_at = claims.issued_at};
  for (const Detail& detail : claims.details) {
    if (detail.allows_subscribe) {
      reader.details.push_back(detail);
      reader.details.back().allows_publish = false;
    }
  }
  return reader;
}

std::optional<VerifiedToken> token_of(const TicketTerms& terms,
                                      const TrustPolicy& trust,
                                      NumericDate now) {
  VerifiedToken token{.issuer_name = terms.issuer, .kid = terms.kid, .claims = terms.claims};
  for (std::size_t i = 0; i < trust.issuers.size() && !token.key; ++i) {
    if (const VerifyingKey* const key = key_of(terms, trust.issuers[i])) {
      token.issuer = i;
      token.key = *key;
    }
  }
  if (!token.key || !is_trusted(token, Role::kSubscribe, trust.issuers) ||
      trust.is_revoked(token, now) ||
      trust.is_revoked(terms.issuer, terms.label, terms.minted_at)) {
    return std::nullopt;
  }
  return token;
}

KeysWanted keys_wanted(const TicketTerms& terms, const TrustPolicy& trust) {
  KeysWanted wanted{.kid = terms.kid};
  if (has_key(terms, trust)) {
    return wanted;
  }
  for (const Issuer& issuer : trust.issuers) {
    if (issuer.name == terms.issuer && issuer.key_source != nullptr) {
      wanted.sources.push_back(issuer.key_source);
    }
  }
  return wanted;
}

bool lacks_key(const TicketTerms& terms, const TrustPolicy& trust) {
  return !has_key(terms, trust) &&
         std::any_of(trust.issuers.begin(), trust.issuers.end(), [&terms](const Issuer& issuer) {
           return issuer.name == terms.issuer && issuer.lacks_keys;
         });
}

std::string terms_json(const TicketTerms& terms) {
  const Claims& claims = terms.claims;
  return json::serialize(json::object{{"issuer", terms.issuer},
                                      {"kid", or_null(terms.kid)},
                                      {"form", static_cast<int>(claims.form)},
                                      {"iss", or_null(claims.issuer)},
                                      {"sub", or_null(claims.subject)},
                                      {"jti", or_null(claims.token_id)},
                                      {"exp", or_null(claims.expires)},
                                      {"iat", or_null(claims.issued_at)},
                                      {"details", details_json(claims)}});
}

bool read_terms_json(std::string_view text, TicketTerms& terms) {
  const auto object = parse_json_object(text);
  if (!object) {
    return false;
  }
  const std::int64_t* const form = member(*object, "form").if_int64();
  const json::array* const details = member(*object, "details").if_array();
  if (form == nullptr || *form < 0 || *form > 1 || details == nullptr) {
    return false;
  }
  terms.issuer = text_in(*object, "issuer").value_or("");
  terms.kid = text_in(*object, "kid");
  terms.claims = {.form = static_cast<TokenForm>(*form),
                  .issuer = text_in(*object, "iss"),
                  .subject = text_in(*object, "sub"),
                  .token_id = text_in(*object, "jti"),
                  .expires = date_in(*object, "exp"),
                  .issued_at = date_in(*object, "iat")};
  return std::all_of(details->begin(), details->end(), [&terms](const json::value& detail) {
    return read_detail(detail, terms.claims);
  });
}

}  // namespace vrelo::auth
