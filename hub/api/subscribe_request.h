// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include <boost/system/result.hpp>

#include "hub/api/policy.h"
#include "hub/base/topic_patterns.h"
#include "hub/fanout/blocks.h"
#include "hub/http/problem.h"
#include "hub/http/request.h"
#include "hub/log/log.h"

namespace vrelo::api {

// The two generations of the protocol, told apart by the query: one name that begins with "match",
// in any case, makes it the newer one, in which `topic` means nothing.
enum class Generation {
  kMatch,  // 1.0: `match`, `match_exact`, `match_urlpattern`
  kTopic,  // 0.x: `topic`; the answer has Last-Event-ID besides Mercure-Last-Event-ID
};

// What a reader asks for.
struct SubscribeRequest {
  // Each topic and pattern once. A template also selects the topic that is written like it.
  log::Selection selection;
  Generation generation = Generation::kMatch;

  // An event's id, or "earliest". nullopt: none was sent; "": one was sent, and it is empty.
  std::optional<std::string> cursor = {};

  fanout::Hello hello = fanout::Hello::kQuiet;
  bool opens_stream = true;  // false: HEAD, which gets the head and nothing else
};

// What the query of a stream says.
struct StreamQuery {
  log::Selection selection;
  Generation generation = Generation::kMatch;
  std::optional<std::string> cursor = {};
};

// Reads `query`. `cursor_field`: the field Last-Event-ID of the request that it came with.
// Errors: those of read_subscribe() that name a field of the query, or that one.
boost::system::result<StreamQuery, http::Problem> read_stream_query(
    std::string_view query,
    std::optional<std::string_view> cursor_field,
    const Policy& policy,
    base::TopicPatterns& patterns);

// Reads where a request begins: by the field Last-Event-ID, else by the query, as below.
boost::system::result<std::optional<std::string>, http::Problem> read_cursor(
    const http::Request& request);

// Returns whether `name`, in a query, would be a selector of either generation, or belongs to them.
bool is_selector_name(std::string_view name);

// Returns whether `name`, in a query, is one of those of the cursor.
bool is_cursor_name(std::string_view name);

// Returns why `request` is refused for what its headers say of its sender and the answer it wants.
std::optional<http::Problem> refuse_sender(const http::Request& request);

// Reads a GET or HEAD of the hub's URL.
//
// The cursor is the first that is not empty of: the field Last-Event-ID, and `lastEventId`,
// `last_event_id`, `lastEventID` and `Last-Event-ID` in the query. Of a name that is repeated, the
// first counts. Names that are not known are ignored, unless they begin with "match".
//
// Errors: 400, 403 (Sec-Fetch-Mode: the browser wants a page, an image or the like, not a stream)
// and 406, each with the name of the header or the query field. A pattern that is none or cannot be
// run is refused (400): a stream that stays silent would be worse. A `topic` that is no template is
// compared with topics as it is, whatever it looks like.
// Cost: compiles the patterns that nobody has yet.
// Source: draft-dunglas-mercure-08, sections 3, 4 and 7; mercure.md 9.2, 9.3, R4, R8 to R10, R15,
// R16, R19, R35.
boost::system::result<SubscribeRequest, http::Problem> read_subscribe(
    const http::Request& request, const Policy& policy, base::TopicPatterns& patterns);

}  // namespace vrelo::api
