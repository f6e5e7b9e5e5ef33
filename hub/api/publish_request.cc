// SPDX-License-Identifier: Apache-2.0
#include "hub/api/publish_request.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "hub/api/form_body.h"
#include "hub/api/reserved_topic.h"
#include "hub/base/text.h"
#include "hub/http/form.h"

namespace vrelo::api {
namespace {

using Refused = std::optional<http::Problem>;

// Ten digits of milliseconds are 115 days.
constexpr std::size_t kRetryDigitsMax = 10;

http::Problem too_long(std::string_view title, std::string_view field, std::size_t bytes_max) {
  return {.status = 413,
          .title = title,
          .field = std::string(field),
          .detail = fmt::format("At most {} bytes are allowed.", bytes_max)};
}

// The rule for all names: topics, ids and types.
Refused refuse_characters(std::string_view text, std::string_view title, std::string_view field) {
  const auto fault = base::find_fault(text);
  if (!fault) {
    return std::nullopt;
  }
  return http::malformed(title, field, fmt::format("It {}.", base::describe(*fault)));
}

Refused refuse_topic(std::string_view topic, const Policy& policy) {
  constexpr std::string_view kTopic = "topic";
  if (topic.size() > policy.topic_bytes_max) {
    return too_long("topic too long", kTopic, policy.topic_bytes_max);
  }
  if (auto refused = refuse_characters(topic, "malformed topic", kTopic)) {
    return refused;
  }
  if (topic.empty()) {
    return http::malformed("missing topic", kTopic, "It is empty.");
  }
  if (topic == "*") {
    return http::malformed("reserved topic", kTopic, "\"*\" stands for all topics.");
  }
  if (is_reserved_topic(topic, policy.path)) {
    return http::malformed(
        "reserved topic", kTopic,
        fmt::format("It is, or as a relative URL leads to, {} or below it, which "
                    "belongs to the hub.",
                    policy.path));
  }
  return std::nullopt;
}

Refused refuse_id(std::string_view id) {
  constexpr std::string_view kId = "id";
  constexpr std::string_view kTitle = "malformed id";
  if (id.size() > kIdBytesMax) {
    return too_long("id too long", kId, kIdBytesMax);
  }
  if (auto refused = refuse_characters(id, kTitle, kId)) {
    return refused;
  }
  if (id.starts_with('#')) {
    return http::malformed(kTitle, kId, "Ids that begin with \"#\" are the hub's own.");
  }
  if (id == "earliest") {
    return http::malformed(kTitle, kId, "As a cursor, \"earliest\" means all there is.");
  }
  if (id.starts_with(' ') || id.ends_with(' ')) {
    return http::malformed(kTitle, kId, "HTTP would cut off the space at its end or beginning.");
  }
  return std::nullopt;
}

Refused refuse_type(std::string_view type) {
  constexpr std::string_view kType = "type";
  if (type.size() > kTypeBytesMax) {
    return too_long("type too long", kType, kTypeBytesMax);
  }
  if (auto refused = refuse_characters(type, "malformed type", kType)) {
    return refused;
  }
  if (type == "mercure" || type.starts_with("vrelo.")) {
    return http::malformed("reserved type", kType,
                           "\"mercure\", and what begins with \"vrelo.\", is the hub's own.");
  }
  return std::nullopt;
}

// Reads `digits`, which are not empty.
boost::system::result<std::chrono::milliseconds, http::Problem> read_retry(
    std::string_view digits) {
  constexpr std::string_view kRetry = "retry";
  const bool are_digits =
      std::all_of(digits.begin(), digits.end(), [](char c) { return c >= '0' && c <= '9'; });
  if (!are_digits) {
    return http::malformed("malformed retry", kRetry, "It is a number of milliseconds, in digits.");
  }
  if (digits.size() > kRetryDigitsMax) {
    return http::Problem{.status = 413,
                         .title = "retry too long",
                         .field = std::string(kRetry),
                         .detail = fmt::format("At most {} digits are allowed.", kRetryDigitsMax)};
  }
  std::int64_t retry = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), retry);
  return std::chrono::milliseconds(retry);
}

// The fields of the form, decoded, but unchecked but for the number of topics.
struct Fields {
  std::vector<std::string> topics = {};
  std::optional<std::string> data = {};
  std::optional<std::string> id = {};
  std::optional<std::string> type = {};
  std::optional<std::string> retry = {};
  bool is_private = false;
  bool has_target = false;
};

boost::system::result<Fields, http::Problem> read_fields(std::string_view form,
                                                         std::size_t topics_max) {
  Fields fields;
  const auto keep_first = [](std::optional<std::string>& field, std::string_view encoded) {
    if (!field) {
      field = http::form_decode(encoded);
    }
  };
  http::FormReader reader(form);
  std::string buffer;
  while (const auto pair = reader.next()) {
    const std::string_view name = http::form_decode(pair->name, buffer);
    if (name == "topic") {
      if (fields.topics.size() == topics_max) {
        return http::Problem{.status = 413,
                             .title = "too many topics",
                             .field = "topic",
                             .detail = fmt::format("An event has at most {}.", topics_max)};
      }
      fields.topics.push_back(http::form_decode(pair->value));
    } else if (name == "data") {
      keep_first(fields.data, pair->value);
    } else if (name == "id") {
      keep_first(fields.id, pair->value);
    } else if (name == "type") {
      keep_first(fields.type, pair->value);
    } else if (name == "retry") {
      keep_first(fields.retry, pair->value);
    } else if (name == "private") {
      fields.is_private = true;
    } else if (name == "target") {
      fields.has_target = true;
    }
  }
  return fields;
}

Refused refuse_fields(const Fields& fields, const Policy& policy) {
  if (fields.has_target && policy.mercure_0x) {
    return http::malformed(
        "audience not supported", "target",
        "Before Mercure 0.6 it named who may read the event, which would be everyone "
        "here: send private=on, and give its readers tokens for the topic.");
  }
  if (fields.topics.empty()) {
    return http::malformed("missing topic", "topic", "An event has at least one topic.");
  }
  for (const std::string& topic : fields.topics) {
    if (auto refused = refuse_topic(topic, policy)) {
      return refused;
    }
  }
  if (fields.data && !base::is_utf8(*fields.data)) {
    return http::malformed("malformed data", "data",
                           fmt::format("It {}.", base::describe(base::TextFault::kNotUtf8)));
  }
  if (auto refused = fields.id ? refuse_id(*fields.id) : std::nullopt) {
    return refused;
  }
  return fields.type ? refuse_type(*fields.type) : std::nullopt;
}

}  // namespace

boost::system::result<log::Event, http::Problem> read_publish(const http::Request& request,
                                                              const Policy& policy) {
  if (auto refused = refuse_body_type(request)) {
    return *std::move(refused);
  }
  auto fields = read_fields(request.body, policy.topics_max);
  if (!fields) {
    return fields.error();
  }
  if (auto refused = refuse_fields(*fields, policy)) {
    return *std::move(refused);
  }
  log::Event event{.topics = std::move(fields->topics),
                   .id = std::move(fields->id).value_or(""),
                   .type = std::move(fields->type).value_or(""),
                   .data = std::move(fields->data).value_or(""),
                   .is_private = fields->is_private};
  if (fields->retry && !fields->retry->empty()) {
    const auto retry = read_retry(*fields->retry);
    if (!retry) {
      return retry.error();
    }
    event.retry = *retry;
  }
  return event;
}

}  // namespace vrelo::api
