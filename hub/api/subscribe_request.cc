// SPDX-License-Identifier: Apache-2.0
#include "hub/api/subscribe_request.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "hub/api/accept.h"
#include "hub/base/text.h"
#include "hub/base/uri_template.h"
#include "hub/http/form.h"

namespace vrelo::api {
namespace {

using Refused = std::optional<http::Problem>;

constexpr std::string_view kCursorField = "Last-Event-ID";

// In the order in which they count. A polyfill appends the first, with the freshest value, to a URL
// that may hold the others from before.
constexpr std::array<std::string_view, 4> kCursorNames = {"lastEventId", "last_event_id",
                                                          "lastEventID", "Last-Event-ID"};

// All names that begin so are the protocol's, so that a misspelt one is never ignored.
bool is_match_name(std::string_view name) {
  constexpr std::string_view kMatch = "match";
  return http::iequals(name.substr(0, kMatch.size()), kMatch);
}

// The selectors of a query, as they are read.
class Selectors {
 public:
  Selectors(Generation generation, const Policy& policy, base::TopicPatterns& patterns)
      : generation_(generation), policy_(policy), patterns_(patterns) {}

  // Takes one pair of the query, decoded; what is no selector is ignored.
  Refused add(std::string_view name, std::string_view value) {
    const bool is_selector =
        generation_ == Generation::kMatch ? is_match_name(name) : name == "topic";
    if (!is_selector) {
      return std::nullopt;
    }
    if (generation_ == Generation::kTopic && !policy_.mercure_0x) {
      return http::malformed("selector not supported", name,
                             "Selectors of Mercure 0.x are off (setting mercure_0x); use match.");
    }
    const bool is_pattern = name == "match_urlpattern";
    if (generation_ == Generation::kMatch && !is_pattern && name != "match" &&
        name != "match_exact") {
      return http::malformed("unknown selector", name,
                             "Names that begin with \"match\" are match, match_exact and "
                             "match_urlpattern.");
    }
    if (auto refused = refuse_any(name, value)) {
      return refused;
    }
    if (value == "*") {
      selection_.all = true;
      return std::nullopt;
    }
    if (is_pattern) {
      return add_pattern(name, value);
    }
    if (generation_ == Generation::kTopic && base::UriTemplate::is_template(value)) {
      if (auto refused = add_template(name, value)) {
        return refused;
      }
    }
    selection_.topics.emplace_back(value);
    return std::nullopt;
  }

  // Returns all that was taken, each topic and each pattern once.
  log::Selection take() {
    auto& [all, topics, patterns] = selection_;
    if (all) {
      topics.clear();
      patterns.clear();
    }
    std::sort(topics.begin(), topics.end());
    topics.erase(std::unique(topics.begin(), topics.end()), topics.end());
    std::sort(patterns.begin(), patterns.end(),
              [](const auto& a, const auto& b) { return a->text() < b->text(); });
    patterns.erase(std::unique(patterns.begin(), patterns.end()), patterns.end());
    return std::move(selection_);
  }

 private:
  Refused add_pattern(std::string_view name, std::string_view value) {
    if (value.size() > base::kUrlPatternBytesMax) {
      return http::malformed(
          "selector too long", name,
          fmt::format("A URL pattern has at most {} bytes.", base::kUrlPatternBytesMax));
    }
    auto pattern = patterns_.url_pattern(value);
    if (pattern == nullptr) {
      return http::malformed(
          "malformed selector", name,
          "It is no URL pattern, or has a regular expression that the hub does not "
          "run: look-around, back-references, modifiers, \\p and \\q, or one that "
          "takes too much memory.");
    }
    selection_.patterns.push_back(std::move(pattern));
    return std::nullopt;
  }

  Refused add_template(std::string_view name, std::string_view value) {
    auto pattern = patterns_.uri_template(value);
    if (pattern == nullptr) {
      return http::malformed(
          "malformed selector", name,
          "It has so many variables that matching it would take too much memory.");
    }
    selection_.patterns.push_back(std::move(pattern));
    return std::nullopt;
  }

  // The rules for selectors of every kind.
  Refused refuse_any(std::string_view name, std::string_view value) {
    if (++count_ > policy_.selectors_max) {
      return http::malformed("too many selectors", name,
                             fmt::format("A stream has at most {}.", policy_.selectors_max));
    }
    if (value.size() > policy_.selector_bytes_max) {
      return http::malformed(
          "selector too long", name,
          fmt::format("At most {} bytes are allowed.", policy_.selector_bytes_max));
    }
    if (const auto fault = base::find_fault(value)) {
      return http::malformed("malformed selector", name,
                             fmt::format("It {}.", base::describe(*fault)));
    }
    return std::nullopt;
  }

  const Generation generation_;
  const Policy& policy_;
  base::TopicPatterns& patterns_;
  log::Selection selection_;
  std::size_t count_ = 0;
};

// The cursors of a request, by what names them: the field first, then the names of the query.
class Cursors {
 public:
  explicit Cursors(std::optional<std::string_view> field) {
    if (field) {
      values_[0] = *field;
    }
  }

  void add(std::string_view name, std::string_view value) {
    for (std::size_t i = 0; i < kCursorNames.size(); ++i) {
      if (name == kCursorNames[i] && !values_[i + 1]) {
        values_[i + 1] = value;
      }
    }
  }

  // Returns the cursor that counts. One that is empty is passed over, but tells that one was sent.
  boost::system::result<std::optional<std::string>, http::Problem> choose() const {
    std::optional<std::string> empty;
    for (std::size_t i = 0; i < values_.size(); ++i) {
      const auto& value = values_[i];
      if (!value) {
        continue;
      }
      if (value->empty()) {
        empty = "";
        continue;
      }
      // No event has such an id, and what is no text could not be told back in a gap.
      if (const auto fault = base::find_fault(*value)) {
        return http::malformed("malformed cursor", i == 0 ? kCursorField : kCursorNames[i - 1],
                               fmt::format("It {}.", base::describe(*fault)));
      }
      return value;
    }
    return empty;
  }

 private:
  std::array<std::optional<std::string>, 1 + kCursorNames.size()> values_;
};

// Returns nullopt if there is no selector at all.
std::optional<Generation> generation_of(std::string_view query) {
  bool has_topic = false;
  http::FormReader reader(query);
  std::string buffer;
  while (const auto pair = reader.next()) {
    const std::string_view name = http::form_decode(pair->name, buffer);
    if (is_match_name(name)) {
      return Generation::kMatch;
    }
    has_topic = has_topic || name == "topic";
  }
  return has_topic ? std::optional(Generation::kTopic) : std::nullopt;
}

// What native EventSources send, and hardly anything else. Over plain HTTP beyond loopback browsers
// send no Sec-Fetch-*, so that the name by which they call themselves has to do.
bool looks_native(const http::Request& request) {
  const auto is = [&request](std::string_view name, std::string_view value) {
    return http::iequals(request.field(name).value_or(""), value);
  };
  const bool has_fetch_metadata =
      std::any_of(request.fields.begin(), request.fields.end(), [](const http::Field& field) {
        constexpr std::string_view kSecFetch = "Sec-Fetch-";
        return http::iequals(field.name.substr(0, kSecFetch.size()), kSecFetch);
      });
  return request.field("Accept") == "text/event-stream" && is("Pragma", "no-cache") &&
         is("Cache-Control", "no-cache") &&
         (has_fetch_metadata || request.field("User-Agent").value_or("").starts_with("Mozilla/"));
}

fanout::Hello hello_for(const http::Request& request, base::HelloMode mode) {
  const bool named =
      mode == base::HelloMode::kAlways || (mode == base::HelloMode::kAuto && looks_native(request));
  return named ? fanout::Hello::kNamed : fanout::Hello::kQuiet;
}

}  // namespace

bool is_selector_name(std::string_view name) {
  return is_match_name(name) || name == "topic";
}

bool is_cursor_name(std::string_view name) {
  return std::find(kCursorNames.begin(), kCursorNames.end(), name) != kCursorNames.end();
}

// Source: WHATWG Fetch Metadata; DESIGN.md, "What the wire must get right".
std::optional<http::Problem> refuse_sender(const http::Request& request) {
  static constexpr std::string_view kMode = "Sec-Fetch-Mode";
  // Of several fields each counts.
  const bool is_by_browser =
      std::any_of(request.fields.begin(), request.fields.end(), [](const http::Field& field) {
        return http::iequals(field.name, kMode) &&
               (field.value == "navigate" || field.value == "no-cors");
      });
  if (is_by_browser) {
    return http::Problem{.status = 403,
                         .title = "not a request for a stream",
                         .field = std::string(kMode),
                         .detail =
                             "A stream is opened by a script (EventSource, fetch) or a "
                             "program, not by a link, an image or the address bar."};
  }
  if (stream_wish(request) == StreamWish::kRefused) {
    return http::Problem{.status = 406,
                         .title = "stream not accepted",
                         .field = "Accept",
                         .detail = "The answer would be text/event-stream."};
  }
  return std::nullopt;
}

boost::system::result<StreamQuery, http::Problem> read_stream_query(
    std::string_view query,
    std::optional<std::string_view> cursor_field,
    const Policy& policy,
    base::TopicPatterns& patterns) {
  const auto generation = generation_of(query);
  if (!generation) {
    return http::malformed("missing selector", "match", "A stream has at least one selector.");
  }
  Selectors selectors(*generation, policy, patterns);
  Cursors cursors(cursor_field);
  http::FormReader reader(query);
  std::string name_buffer;
  std::string value_buffer;
  while (const auto pair = reader.next()) {
    const std::string_view name = http::form_decode(pair->name, name_buffer);
    const std::string_view value = http::form_decode(pair->value, value_buffer);
    if (auto refused = selectors.add(name, value)) {
      return *std::move(refused);
    }
    cursors.add(name, value);
  }
  auto cursor = cursors.choose();
  if (!cursor) {
    return cursor.error();
  }
  return StreamQuery{
      .selection = selectors.take(), .generation = *generation, .cursor = *std::move(cursor)};
}

boost::system::result<std::optional<std::string>, http::Problem> read_cursor(
    const http::Request& request) {
  Cursors cursors(request.field(kCursorField));
  http::FormReader reader(request.query);
  std::string name_buffer;
  std::string value_buffer;
  while (const auto pair = reader.next()) {
    cursors.add(http::form_decode(pair->name, name_buffer),
                http::form_decode(pair->value, value_buffer));
  }
  return cursors.choose();
}

boost::system::result<SubscribeRequest, http::Problem> read_subscribe(
    const http::Request& request, const Policy& policy, base::TopicPatterns& patterns) {
  if (auto refused = refuse_sender(request)) {
    return *std::move(refused);
  }
  auto query = read_stream_query(request.query, request.field(kCursorField), policy, patterns);
  if (!query) {
    return std::move(query.error());
  }
  return SubscribeRequest{.selection = std::move(query->selection),
                          .generation = query->generation,
                          .cursor = std::move(query->cursor),
                          .hello = hello_for(request, policy.hello),
                          .opens_stream = request.method == http::Method::kGet};
}

}  // namespace vrelo::api
