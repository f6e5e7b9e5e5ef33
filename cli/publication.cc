// SPDX-License-Identifier: Apache-2.0
#include "cli/publication.h"

#include <array>

#include <fmt/format.h>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>

#include "cli/printable.h"
#include "hub/base/nearest.h"

namespace vrelo::cli {
namespace {

namespace json = boost::json;
using base::Fault;

constexpr std::array<std::string_view, 6> kMembers{"topic", "data",  "id",
                                                   "type",  "retry", "private"};

std::string text_of(const json::string& text) {
  return {text.data(), text.size()};
}

std::optional<Fault> set_text(std::string& text, std::string_view name, const json::value& value) {
  if (!value.is_string()) {
    return Fault{fmt::format("{} is not a text", name)};
  }
  text = text_of(value.get_string());
  return std::nullopt;
}

std::optional<Fault> set_topics(std::vector<std::string>& topics, const json::value& value) {
  if (value.is_string()) {
    topics = {text_of(value.get_string())};
    return std::nullopt;
  }
  if (!value.is_array() || value.get_array().empty()) {
    return Fault{"topic is neither a text nor a list of texts"};
  }
  topics.clear();
  for (const json::value& topic : value.get_array()) {
    if (!topic.is_string()) {
      return Fault{"topic is neither a text nor a list of texts"};
    }
    topics.push_back(text_of(topic.get_string()));
  }
  return std::nullopt;
}

std::optional<Fault> set_retry(std::optional<std::uint64_t>& retry, const json::value& value) {
  boost::system::error_code error;
  const auto number = value.is_number() ? value.to_number<std::uint64_t>(error) : 0;
  if (!value.is_number() || error) {
    return Fault{"retry is not a number of milliseconds"};
  }
  retry = number;
  return std::nullopt;
}

std::optional<Fault> set_member(Publication& publication,
                                std::string_view name,
                                const json::value& value) {
  if (name == "topic") {
    return set_topics(publication.topics, value);
  }
  if (name == "data") {
    publication.data =
        value.is_string() ? text_of(value.get_string()) : std::string(json::serialize(value));
    return std::nullopt;
  }
  if (name == "id") {
    return set_text(publication.id, name, value);
  }
  if (name == "type") {
    return set_text(publication.type, name, value);
  }
  if (name == "retry") {
    return set_retry(publication.retry_ms, value);
  }
  if (name == "private") {
    if (!value.is_bool()) {
      return Fault{"private is neither true nor false"};
    }
    publication.is_private = value.get_bool();
    return std::nullopt;
  }
  const std::string_view meant = base::nearest(name, kMembers);
  return Fault{fmt::format("\"{}\" is no member of an event{}", printable(name),
                           meant.empty() ? "" : fmt::format("; did you mean {}?", meant))};
}

void append_pair(std::string& form, std::string_view name, std::string_view value) {
  form.append(form.empty() ? "" : "&").append(name).append("=").append(percent_encoded(value));
}

}  // namespace

base::Parsed<Publication> parse_publication(std::string_view line, const Publication& defaults) {
  boost::system::error_code error;
  const json::value value = json::parse(json::string_view(line.data(), line.size()), error);
  if (error) {
    return Fault{"this is not JSON: " + error.message()};
  }
  if (!value.is_object()) {
    return Fault{"this is not a JSON object"};
  }
  Publication publication = defaults;
  for (const auto& [key, member] : value.get_object()) {
    if (const auto fault = set_member(publication, {key.data(), key.size()}, member)) {
      return *fault;
    }
  }
  if (publication.topics.empty()) {
    return Fault{"there is no topic, neither here nor as an argument"};
  }
  return publication;
}

std::string form_of(const Publication& publication) {
  std::string form;
  for (const std::string& topic : publication.topics) {
    append_pair(form, "topic", topic);
  }
  append_pair(form, "data", publication.data);
  if (!publication.id.empty()) {
    append_pair(form, "id", publication.id);
  }
  if (!publication.type.empty()) {
    append_pair(form, "type", publication.type);
  }
  if (publication.retry_ms) {
    append_pair(form, "retry", std::to_string(*publication.retry_ms));
  }
  if (publication.is_private) {
    append_pair(form, "private", "on");
  }
  return form;
}

std::string percent_encoded(std::string_view text) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  std::string encoded;
  encoded.reserve(text.size());
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool stands = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                        (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_' || c == '~';
    if (stands) {
      encoded.push_back(c);
    } else {
      encoded.append({'%', kDigits[byte >> 4], kDigits[byte & 15]});
    }
  }
  return encoded;
}

}  // namespace vrelo::cli
