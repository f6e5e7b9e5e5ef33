// SPDX-License-Identifier: Apache-2.0
#include "cli/token_text.h"

#include <chrono>
#include <cmath>
#include <ctime>
#include <optional>
#include <utility>
#include <vector>

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "cli/printable.h"
#include "hub/auth/base64url.h"
#include "hub/auth/issuer.h"
#include "hub/auth/jws.h"
#include "hub/auth/trust.h"

namespace vrelo::cli {
namespace {

using auth::NumericDate;
using auth::TopicMatcher;

void add_line(std::string& text, const char* name, const std::string& value) {
  text += fmt::format("{:<11}{}\n", name, value);
}

void add_text(std::string& text, const char* name, const std::optional<std::string>& value) {
  if (value) {
    add_line(text, name, printable(*value));
  }
}

// "1h 5min", of the two largest units.
std::string span_text(std::chrono::seconds span) {
  constexpr std::pair<std::chrono::seconds, const char*> kUnits[] = {
      {std::chrono::hours(24), "d"},
      {std::chrono::hours(1), "h"},
      {std::chrono::minutes(1), "min"},
      {std::chrono::seconds(1), "s"}};
  std::vector<std::string> parts;
  for (const auto& [unit, name] : kUnits) {
    if (span >= unit && parts.size() < 2) {
      parts.push_back(fmt::format("{}{}", span / unit, name));
    }
    span %= unit;
  }
  return parts.empty() ? "0s" : fmt::format("{}", fmt::join(parts, " "));
}

void add_time(std::string& text,
              const char* name,
              const std::optional<NumericDate>& time,
              NumericDate now) {
  if (time) {
    add_line(text, name, time_text(*time, now));
  }
}

std::string matcher_text(const TopicMatcher& matcher) {
  switch (matcher.kind) {
    case TopicMatcher::Kind::kAll:
      return "all topics";
    case TopicMatcher::Kind::kExact:
      return printable(matcher.text);
    case TopicMatcher::Kind::kUrlPattern:
      return "pattern " + printable(matcher.text);
    case TopicMatcher::Kind::kUriTemplate:
      return printable(matcher.text) + " (also as a template)";
  }
  return "";
}

void add_rights(std::string& text, const char* name, const auth::Claims& claims, bool publish) {
  std::vector<std::string> shown;
  for (const auth::Detail& detail : claims.details) {
    if (publish ? detail.allows_publish : detail.allows_subscribe) {
      for (const TopicMatcher& matcher : detail.topics) {
        shown.push_back(matcher_text(matcher));
      }
    }
  }
  add_line(text, name, shown.empty() ? "nothing" : fmt::format("{}", fmt::join(shown, ", ")));
}

// Says for each role whether the hub takes the token. Returns whether it does for any.
bool add_verdicts(std::string& text,
                  std::string_view token,
                  const auth::TrustPolicy& policy,
                  NumericDate now) {
  bool is_taken = false;
  for (const auto& [name, role] :
       {std::pair("to publish", auth::Role::kPublish), std::pair("to read", auth::Role::kSubscribe),
        std::pair("to administer", auth::Role::kAdmin)}) {
    const auto verified = auth::verify_token(token, role, policy.issuers, policy.token_rules, now);
    is_taken = is_taken || verified.has_value();
    if (verified) {
      add_line(text, "hub", fmt::format("takes it {}", name));
      continue;
    }
    const auth::KeysWanted wanted =
        auth::keys_wanted(token, role, policy.issuers, verified.error());
    add_line(text, "hub",
             fmt::format("refuses it {}: {}{}", name, verified.error().message(),
                         wanted.sources.empty() ? "" : "; keys at a jwks_url were not looked at"));
  }
  return is_taken;
}

}  // namespace

std::string time_text(NumericDate time, NumericDate now) {
  constexpr double kShownMax = 253402300799;  // the end of the year 9999
  if (time.count() < 0) {
    return "in the far past";
  }
  if (!(time.count() <= kShownMax)) {
    return "in the far future";
  }
  const auto seconds = static_cast<std::time_t>(std::floor(time.count()));
  const auto away = std::chrono::seconds(std::llround(std::abs((time - now).count())));
  return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}, {}", fmt::gmtime(seconds),
                     time > now ? "in " + span_text(away) : span_text(away) + " ago");
}

base::Parsed<TokenText> token_text(std::string_view token,
                                   const base::Settings* settings,
                                   NumericDate now) {
  const auto jws = auth::parse_jws(token);
  if (!jws) {
    return base::Fault{jws.error().message()};
  }
  const auto payload = auth::decode_base64url(jws->payload);
  if (!payload) {
    return base::Fault{make_error_code(auth::Errc::kNotBase64Url).message()};
  }
  const auto claims = auth::parse_claims(*payload, jws->type, /*takes_mercure_claim=*/true);
  if (!claims) {
    return base::Fault{claims.error().message()};
  }

  TokenText result;
  std::string& text = result.text;
  add_line(text, "form",
           claims->form == auth::TokenForm::kAccessToken ? "access token" : "of Mercure 0.x");
  add_line(text, "algorithm", std::string(auth::name_of(jws->algorithm)));
  add_text(text, "key", jws->kid);
  add_text(text, "issuer", claims->issuer);
  for (const std::string& audience : claims->audience) {
    add_text(text, "audience", audience);
  }
  add_text(text, "subject", claims->subject);
  add_text(text, "client", claims->client_id);
  add_text(text, "id", claims->token_id);
  add_time(text, "issued", claims->issued_at, now);
  add_time(text, "not before", claims->not_before, now);
  add_time(text, "expires", claims->expires, now);
  add_rights(text, "publish", *claims, true);
  add_rights(text, "read", *claims, false);
  if (settings == nullptr) {
    add_line(text, "hub", "unknown: nothing is verified without --config");
    return result;
  }
  const auto trust = auth::read_trust(*settings, base::is_local_only(*settings));
  if (!trust) {
    return trust.error();
  }
  result.is_taken = add_verdicts(text, token, *trust->policy, now);
  return result;
}

}  // namespace vrelo::cli
