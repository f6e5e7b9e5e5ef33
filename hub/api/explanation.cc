// SPDX-License-Identifier: Apache-2.0
#include "hub/api/explanation.h"

#include <algorithm>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include "hub/api/answers.h"
#include "hub/api/cors.h"
#include "hub/api/explained_request.h"
#include "hub/api/host.h"
#include "hub/api/publish_request.h"
#include "hub/api/subscribe_request.h"
#include "hub/auth/base64url.h"
#include "hub/auth/jws.h"
#include "hub/auth/topic_patterns.h"

namespace vrelo::api {
namespace {

namespace json = boost::json;
using auth::Detail;
using auth::TopicMatcher;

json::object matcher_json(const TopicMatcher& matcher) {
  switch (matcher.kind) {
    case TopicMatcher::Kind::kAll:
      return {{"match", "*"}};
    case TopicMatcher::Kind::kExact:
      return {{"match", matcher.text}};
    case TopicMatcher::Kind::kUrlPattern:
      return {{"match", matcher.text}, {"match_type", "urlpattern"}};
    case TopicMatcher::Kind::kUriTemplate:
      return {{"match", matcher.text}, {"match_type", "uritemplate"}};
  }
  return {};
}

// What a token says of itself.
json::object token_json(const auth::Claims& claims, const std::optional<std::string>& kid) {
  json::object token;
  token["form"] = claims.form == auth::TokenForm::kAccessToken ? "access token" : "of Mercure 0.x";
  for (const auto& [name, value] :
       {std::pair("key", &kid), std::pair("issuer", &claims.issuer),
        std::pair("subject", &claims.subject), std::pair("client", &claims.client_id),
        std::pair("id", &claims.token_id)}) {
    if (*value) {
      token[name] = **value;
    }
  }
  if (claims.expires) {
    token["expires"] = claims.expires->count();
  }
  return token;
}

// The same of one that is refused; empty: it is none that could be read.
json::object unverified_json(std::string_view token) {
  const auto jws = auth::parse_jws(token);
  if (!jws) {
    return {};
  }
  const auto payload = auth::decode_base64url(jws->payload);
  if (!payload) {
    return {};
  }
  const auto claims = auth::parse_claims(*payload, jws->type, /*takes_mercure_claim=*/true);
  if (!claims) {
    return {};
  }
  json::object shown = token_json(*claims, jws->kid);
  shown["verified"] = false;
  return shown;
}

// The rights of a token, as it lists them.
class Rights {
 public:
  Rights(const auth::Claims& claims, bool Detail::*allows, base::TopicPatterns& patterns)
      : compile_(auth::pattern_compiler(patterns)) {
    for (const Detail& detail : claims.details) {
      if (detail.*allows) {
        for (const TopicMatcher& matcher : detail.topics) {
          matchers_.push_back(&matcher);
        }
      }
    }
  }

  bool empty() const { return matchers_.empty(); }

  // Returns the first that covers `topic`; nullptr: none.
  const TopicMatcher* covering(const std::string& topic) const {
    return first([this, &topic](const TopicMatcher& matcher) {
      if (matcher.kind == TopicMatcher::Kind::kAll) {
        return true;
      }
      if (matcher.kind != TopicMatcher::Kind::kUrlPattern && matcher.text == topic) {
        return true;
      }
      const auto pattern = matcher.kind == TopicMatcher::Kind::kExact ? nullptr : compile_(matcher);
      return pattern != nullptr && pattern->matches(topic);
    });
  }

  // Returns the first that covers all topics of such a kind and text; nullptr: none is known to.
  const TopicMatcher* covering(TopicMatcher::Kind kind, const std::string& text) const {
    return first([&](const TopicMatcher& matcher) {
      return matcher.kind == TopicMatcher::Kind::kAll ||
             (matcher.kind == kind && matcher.text == text);
    });
  }

 private:
  template <typename Covers>
  const TopicMatcher* first(Covers covers) const {
    const auto found =
        std::find_if(matchers_.begin(), matchers_.end(),
                     [&covers](const TopicMatcher* matcher) { return covers(*matcher); });
    return found == matchers_.end() ? nullptr : *found;
  }

  const auth::CompilePattern compile_;
  std::vector<const TopicMatcher*> matchers_;
};

// Puts together what is said of one request.
class Explanation {
 public:
  explicit Explanation(const ExplainParts& parts) : parts_(parts) {}

  std::string of(const ExplainedRequest& explained);

 private:
  void judge(const ExplainedRequest& explained);
  void refuse_page(const http::Request& request, auth::Channel channel);
  void publish(const http::Request& request);
  void subscribe(const SubscribeRequest& wanted);
  void add_selector(const Rights& rights,
                    std::string_view kind,
                    const std::string& text,
                    const TopicMatcher* by);
  void add_limits();
  void refuse(int status, std::string_view reason, std::string_view field = {});
  void refuse(const http::Problem& problem);

  const ExplainParts& parts_;
  auth::Authorization may_;
  json::object who_;
  json::array topics_;
  json::object limits_;
  int status_ = 200;
  std::string reason_;
  std::string field_;
};

std::string Explanation::of(const ExplainedRequest& explained) {
  judge(explained);
  json::object all{{"allowed", status_ == 200}, {"status", status_}};
  if (!reason_.empty()) {
    all["reason"] = reason_;
  }
  if (!field_.empty()) {
    all["field"] = field_;
  }
  if (!who_.empty()) {
    all["token"] = std::move(who_);
  }
  if (!topics_.empty()) {
    all[explained.action() == Action::kPublish ? "topics" : "selectors"] = std::move(topics_);
  }
  if (!limits_.empty()) {
    all["limits"] = std::move(limits_);
  }
  return json::serialize(all) + '\n';
}

// In the order in which a Connection judges, so that the first refusal is the one that is sent.
void Explanation::judge(const ExplainedRequest& explained) {
  const http::Request request = explained.request();
  const bool is_publish = explained.action() == Action::kPublish;
  if (const auto problem = refuse_host(request, parts_.policy)) {
    refuse(*problem);
  }
  std::optional<SubscribeRequest> wanted;
  if (!is_publish) {
    auto read = read_subscribe(request, parts_.policy, parts_.patterns);
    if (read) {
      wanted = *std::move(read);
    } else {
      refuse(read.error());
    }
  }
  if (parts_.authenticator == nullptr) {
    if (status_ == 200) {  // else the reason is what refuses it
      reason_ = "The hub has no keys: whoever reaches it may publish and read.";
    }
  } else {
    if (is_publish && auth::is_ambient(explained.channel())) {
      refuse_page(request, explained.channel());
    }
    const auto may = explained.authorize(*parts_.authenticator,
                                         parts_.policy.trust->credential_rules.cookie_name);
    if (!may) {
      who_ = unverified_json(explained.token());
      const int status = unauthorized(may.error(), "").status;
      refuse(status, may.error().message());
      return;
    }
    may_ = *may;
  }
  if (may_.token != nullptr) {
    who_ = token_json(may_.token->claims, may_.token->kid);
    who_["verified"] = true;
    who_["issuer"] = may_.token->issuer_name;
    who_["settings"] = fmt::format("issuers[{}]", may_.token->issuer);
    who_["algorithm"] = auth::name_of(may_.token->key->algorithm());
    add_limits();
  }
  if (is_publish) {
    refuse_page(request, may_.channel);
    publish(request);
  } else if (wanted) {
    subscribe(*wanted);
  }
}

void Explanation::refuse_page(const http::Request& request, auth::Channel channel) {
  if (const auto problem = refuse_publisher(request, parts_.policy, channel)) {
    refuse(*problem);
  }
}

void Explanation::publish(const http::Request& request) {
  const auto event = read_publish(request, parts_.policy);
  if (!event) {
    refuse(event.error());
    return;
  }
  if (may_.quota != nullptr &&
      may_.quota->is_used_up(may_.limits.publishes_per_second, parts_.clock.steady())) {
    refuse(problem(Obstacle::kTooManyPublishes));
  }
  if (may_.token == nullptr) {
    return;
  }
  const Rights rights(may_.token->claims, &Detail::allows_publish, parts_.patterns);
  for (const std::string& topic : event->topics) {
    const TopicMatcher* const by = rights.covering(topic);
    json::object shown{{"topic", topic}, {"granted", by != nullptr}};
    if (by != nullptr) {
      shown["by"] = matcher_json(*by);
    }
    topics_.push_back(std::move(shown));
  }
  if (!may_.grant->may_publish(event->topics)) {
    refuse(not_granted(""));
  }
}

void Explanation::subscribe(const SubscribeRequest& wanted) {
  if (may_.quota != nullptr && may_.limits.streams_max != 0 &&
      may_.quota->streams() >= may_.limits.streams_max) {
    refuse(problem(Obstacle::kTooManyStreams));
  }
  if (parts_.authenticator == nullptr) {
    return;
  }
  const auth::Claims nothing;
  const Rights rights(may_.token == nullptr ? nothing : may_.token->claims,
                      &Detail::allows_subscribe, parts_.patterns);
  const log::Selection& selection = wanted.selection;
  if (selection.all) {
    add_selector(rights, "all", "*", rights.covering(TopicMatcher::Kind::kAll, ""));
  }
  for (const std::string& topic : selection.topics) {
    add_selector(rights, "topic", topic, rights.covering(topic));
  }
  const bool is_template = wanted.generation == Generation::kTopic;
  const auto kind =
      is_template ? TopicMatcher::Kind::kUriTemplate : TopicMatcher::Kind::kUrlPattern;
  for (const base::TopicPatternPtr& pattern : selection.patterns) {
    add_selector(rights, is_template ? "template" : "pattern", pattern->text(),
                 rights.covering(kind, pattern->text()));
  }
}

// `by`: covers all that the selector selects.
void Explanation::add_selector(const Rights& rights,
                               std::string_view kind,
                               const std::string& text,
                               const TopicMatcher* by) {
  json::object shown{{kind, text},
                     {"private", by != nullptr    ? "all"
                                 : rights.empty() ? "none"
                                                  : "some"}};
  if (by != nullptr) {
    shown["by"] = matcher_json(*by);
  }
  topics_.push_back(std::move(shown));
}

void Explanation::add_limits() {
  if (may_.limits.streams_max != 0) {
    limits_["streams"] =
        json::object{{"open", may_.quota->streams()}, {"max", may_.limits.streams_max}};
  }
  if (may_.limits.publishes_per_second != 0) {
    limits_["publishes_per_second"] = may_.limits.publishes_per_second;
  }
}

// The first refusal counts; what is found out later is shown beside it.
void Explanation::refuse(int status, std::string_view reason, std::string_view field) {
  if (status_ == 200) {
    status_ = status;
    reason_ = reason;
    field_ = field;
  }
}

void Explanation::refuse(const http::Problem& problem) {
  std::string reason(problem.title);
  reason += problem.detail.empty() ? "" : ": " + problem.detail;
  refuse(problem.status, reason, problem.field);
}

}  // namespace

auth::KeysWanted keys_of_explained(const http::Request& request, const ExplainParts& parts) {
  const auto explained = ExplainedRequest::read(request);
  if (!explained || parts.authenticator == nullptr) {
    return {};
  }
  const std::string& cookie_name = parts.policy.trust->credential_rules.cookie_name;
  const auto may = explained->authorize(*parts.authenticator, cookie_name);
  return may ? auth::KeysWanted()
             : explained->keys_wanted(*parts.authenticator, cookie_name, may.error());
}

boost::system::result<std::string, http::Problem> explain(const http::Request& request,
                                                          const ExplainParts& parts) {
  const auto explained = ExplainedRequest::read(request);
  if (!explained) {
    return explained.error();
  }
  return Explanation(parts).of(*explained);
}

}  // namespace vrelo::api
