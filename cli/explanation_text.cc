// SPDX-License-Identifier: Apache-2.0
#include "cli/explanation_text.h"

#include <fmt/format.h>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>

#include "cli/printable.h"
#include "cli/token_text.h"

namespace vrelo::cli {
namespace {

namespace json = boost::json;

void add_line(std::string& text, const char* name, std::string_view value) {
  text += fmt::format("{:<11}{}\n", name, value);
}

// Returns a member that is a text; "": it is not there.
std::string text_of(const json::object& object, std::string_view name) {
  const json::value* const member = object.if_contains(json::string_view(name.data(), name.size()));
  return member != nullptr && member->is_string() ? printable(std::string(member->get_string()))
                                                  : std::string();
}

std::optional<double> number_of(const json::object& object, const char* name) {
  const json::value* const member = object.if_contains(name);
  if (member == nullptr || !member->is_number()) {
    return std::nullopt;
  }
  boost::system::error_code error;
  const double number = member->to_number<double>(error);
  return error ? std::nullopt : std::optional(number);
}

bool is_true(const json::object& object, const char* name) {
  const json::value* const member = object.if_contains(name);
  return member != nullptr && member->is_bool() && member->get_bool();
}

const json::object* object_of(const json::object& object, const char* name) {
  const json::value* const member = object.if_contains(name);
  return member == nullptr ? nullptr : member->if_object();
}

// "by *", "by the pattern https://…".
std::string right_text(const json::object& shown) {
  const json::object* const by = object_of(shown, "by");
  if (by == nullptr) {
    return {};
  }
  const std::string type = text_of(*by, "match_type");
  return fmt::format(", by {}{}",
                     type == "urlpattern"    ? "the pattern "
                     : type == "uritemplate" ? "the template "
                                             : "",
                     text_of(*by, "match"));
}

void add_token(std::string& text, const json::object& token, auth::NumericDate now) {
  if (!is_true(token, "verified")) {
    add_line(text, "token", "refused; what follows is only what it says");
  }
  for (const char* const name :
       {"form", "issuer", "settings", "key", "algorithm", "subject", "client", "id"}) {
    if (const std::string value = text_of(token, name); !value.empty()) {
      add_line(text, name, value);
    }
  }
  if (const auto expires = number_of(token, "expires")) {
    add_line(text, "expires", time_text(auth::NumericDate(*expires), now));
  }
}

void add_topics(std::string& text, const json::object& all) {
  const json::value* const topics = all.if_contains("topics");
  if (topics == nullptr || !topics->is_array()) {
    return;
  }
  for (const json::value& value : topics->get_array()) {
    if (const json::object* const topic = value.if_object()) {
      add_line(
          text, "topic",
          fmt::format("{}: {}{}", text_of(*topic, "topic"),
                      is_true(*topic, "granted") ? "granted" : "not granted", right_text(*topic)));
    }
  }
}

void add_selectors(std::string& text, const json::object& all) {
  const json::value* const selectors = all.if_contains("selectors");
  if (selectors == nullptr || !selectors->is_array()) {
    return;
  }
  for (const json::value& value : selectors->get_array()) {
    const json::object* const selector = value.if_object();
    if (selector == nullptr) {
      continue;
    }
    const std::string reach = text_of(*selector, "private");
    const std::string_view said = reach == "all" ? "all private events"
                                  : reach == "some"
                                      ? "private events that have a topic of the token's"
                                      : "no private events";
    for (const char* const kind : {"all", "topic", "pattern", "template"}) {
      if (const std::string what = text_of(*selector, kind); !what.empty()) {
        add_line(text, "selector",
                 fmt::format("{} {}: {}{}", kind == std::string_view("all") ? "topic" : kind, what,
                             said, right_text(*selector)));
      }
    }
  }
}

void add_limits(std::string& text, const json::object& all) {
  const json::object* const limits = object_of(all, "limits");
  if (limits == nullptr) {
    return;
  }
  if (const json::object* const streams = object_of(*limits, "streams")) {
    add_line(
        text, "limit",
        fmt::format("streams at once: {:.0f} of {:.0f}", number_of(*streams, "open").value_or(0),
                    number_of(*streams, "max").value_or(0)));
  }
  if (const auto publishes = number_of(*limits, "publishes_per_second")) {
    add_line(text, "limit", fmt::format("publishes a second: {:.0f}", *publishes));
  }
}

}  // namespace

std::optional<ExplanationText> explanation_text(std::string_view json, auth::NumericDate now) {
  boost::system::error_code error;
  const json::value value = json::parse(json::string_view(json.data(), json.size()), error);
  const json::object* const all = error ? nullptr : value.if_object();
  if (all == nullptr || !all->contains("allowed")) {
    return std::nullopt;
  }
  ExplanationText result;
  result.is_allowed = is_true(*all, "allowed");
  std::string& text = result.text;
  add_line(text, "request",
           result.is_allowed
               ? "allowed"
               : fmt::format("refused with {:.0f}", number_of(*all, "status").value_or(0)));
  const std::string field = text_of(*all, "field");
  if (const std::string reason = text_of(*all, "reason"); !reason.empty()) {
    add_line(text, "because", field.empty() ? reason : fmt::format("{}: {}", field, reason));
  }
  const json::object* const token = object_of(*all, "token");
  if (token != nullptr) {
    add_token(text, *token, now);
  } else {
    add_line(text, "token", "none");
  }
  add_topics(text, *all);
  add_selectors(text, *all);
  add_limits(text, *all);
  return result;
}

}  // namespace vrelo::cli
