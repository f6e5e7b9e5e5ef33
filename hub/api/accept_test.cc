// SPDX-License-Identifier: Apache-2.0
#include "hub/api/accept.h"

#include <string>
#include <string_view>

#include <gtest/gtest.h>

namespace vrelo::api {
namespace {

constexpr StreamWish kRefused = StreamWish::kRefused;
constexpr StreamWish kAccepted = StreamWish::kAccepted;
constexpr StreamWish kNamed = StreamWish::kNamed;

StreamWish wish(std::string_view accept) {
  http::Request request;
  request.fields = {{"accept", accept}};
  return stream_wish(request);
}

TEST(Accept, tells_who_takes_a_stream) {
  const struct {
    const char* what;
    std::string_view accept;
    StreamWish wish;
  } cases[] = {
      {"what an EventSource sends", "text/event-stream", kNamed},
      {"other case", "TEXT/Event-Stream", kNamed},
      {"among others", "text/html, text/event-stream;q=0.1, */*", kNamed},
      {"parameters", "text/event-stream; charset=\"utf-8, or not\" ;q=0.5", kNamed},
      {"spaces and empty elements", " , text/event-stream\t, ,", kNamed},
      {"anything", "*/*", kAccepted},
      {"any text", "text/*", kAccepted},
      {"what a browser's address bar sends", "text/html,application/xml;q=0.9,*/*;q=0.8",
       kAccepted},
      {"not listed", "application/json", kRefused},
      {"another text", "text/event-streams", kRefused},
      {"the subtype of another type", "application/event-stream", kRefused},
      {"refused by name", "text/event-stream;q=0, */*", kRefused},
      {"refused by name, whatever the order", "*/*, text/event-stream;q=0", kRefused},
      {"refused with decimals", "text/event-stream;q=0.000", kRefused},
      {"refused with an upper-case q", "text/event-stream;Q=0", kRefused},
      {"refused with all texts", "text/*;q=0, */*", kRefused},
      {"all texts refused but this", "text/*;q=0, text/event-stream", kNamed},
      {"all refused", "*/*;q=0", kRefused},
      {"the least that is not nothing", "text/event-stream;q=0.001", kNamed},
      {"twice, once refused", "text/event-stream;q=0, text/event-stream;q=1", kNamed},
      {"refused twice", "text/event-stream;q=0, text/event-stream;q=0.0", kRefused},
      {"a comma in quotes", "a/b;x=\"text/event-stream,\"", kRefused},
      {"a quote in quotes", "a/b;x=\"\\\",text/event-stream\"", kRefused},

      {"nothing in it", "", kAccepted},
      {"only separators", ";;", kAccepted},
      {"only commas", ",,", kAccepted},
      {"no slash", "application", kAccepted},
      {"a star for the type alone", "*/json", kAccepted},
      {"a star alone, as old Java sends it", "text/html, *; q=.2", kAccepted},
      {"no type", "/json", kAccepted},
      {"no subtype", "text/", kAccepted},
      {"two slashes", "a/b/c", kAccepted},
      {"a space in the type", "a b/c", kAccepted},
      {"a q that is no number", "application/json;q=x", kAccepted},
      {"a q without a value", "application/json;q=", kAccepted},
      {"a q without an equals sign", "application/json;q", kAccepted},
      {"a q above one", "application/json;q=1.001", kAccepted},
      {"a q of two", "application/json;q=2", kAccepted},
      {"a q with four decimals", "application/json;q=0.0000", kAccepted},
      {"a negative q", "application/json;q=-0", kAccepted},
      {"a parameter without a name", "application/json;=1", kAccepted},
      {"a parameter without a value", "application/json;a", kAccepted},
      {"a quote that does not end", "application/json;a=\"b", kAccepted},
      {"a backslash at the end", "application/json;a=\"b\\", kAccepted},
      {"bytes beyond ASCII", "application/\xE9", kAccepted},
      {"q with a point alone", "application/json;q=0.", kRefused},
      {"an empty parameter", "application/json;;q=1;", kRefused},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.what);
    EXPECT_EQ(wish(c.accept), c.wish);
  }
}

TEST(Accept, says_nothing_where_it_is_absent) {
  EXPECT_EQ(stream_wish({}), StreamWish::kAccepted);
}

TEST(Accept, may_come_in_several_fields) {
  http::Request request;
  request.fields = {{"Accept", "*/*"}, {"Host", "x"}, {"Accept", "text/event-stream;q=0"}};
  EXPECT_EQ(stream_wish(request), StreamWish::kRefused);
}

}  // namespace
}  // namespace vrelo::api
