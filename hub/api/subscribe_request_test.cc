// SPDX-License-Identifier: Apache-2.0
#include "hub/api/subscribe_request.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "hub/api/request_testing.h"

namespace vrelo::api {
namespace {

using Topics = std::vector<std::string>;

boost::system::result<SubscribeRequest, http::Problem> read(const TestRequest::Parts& parts,
                                                            const Policy& policy = {}) {
  static base::TopicPatterns patterns(
      base::UrlBase::make("https://hub.example.com/.well-known/mercure"));
  const TestRequest request(parts);
  return read_subscribe(*request, policy, patterns);
}

SubscribeRequest request_of(const TestRequest::Parts& parts, const Policy& policy = {}) {
  const auto request = read(parts, policy);
  EXPECT_TRUE(request) << request.error().title << " " << request.error().detail;
  return request ? *request : SubscribeRequest{};
}

// Returns the refusal, without its detail.
http::Problem refusal(const TestRequest::Parts& parts, const Policy& policy = {}) {
  const auto request = read(parts, policy);
  EXPECT_TRUE(request.has_error());
  http::Problem problem = request ? http::Problem{.title = "none"} : request.error();
  problem.detail = {};
  return problem;
}

TEST(SubscribeRequest, selects_topics) {
  const struct {
    const char* what;
    const char* query;
    Topics topics;
    bool all = false;
    Generation generation = Generation::kMatch;
  } cases[] = {
      {"match", "match=https://a.example/1", {"https://a.example/1"}},
      {"match_exact", "match_exact=a", {"a"}},
      {"both, several times", "match=b&match_exact=a&match=c", {"a", "b", "c"}},
      {"the same twice", "match=a&match_exact=a", {"a"}},
      {"an escaped name, and another", "%6Datch=a&utm=1", {"a"}},
      {"spaces and letters beyond ASCII", "match=a+b%20%C3%A9", {"a b \xC3\xA9"}},
      {"an escape in an escape", "match=https://a.example/%257Ex", {"https://a.example/%7Ex"}},
      {"what is a pattern elsewhere", "match=/books/{id}", {"/books/{id}"}},
      {"a topic that nobody can publish", "match=", {""}},
      {"no equals sign", "match", {""}},
      {"the star", "match=*", {}, true},
      {"the star by the long name", "match_exact=*", {}, true},
      {"the star as a pattern", "match_urlpattern=*", {}, true},
      {"the star beside others", "match=a&match=*", {}, true},
      {"an escaped star", "match=%2A", {}, true},
      {"a star inside a topic", "match=a*", {"a*"}},
      {"the older name", "topic=a&topic=b", {"a", "b"}, false, Generation::kTopic},
      {"the star by the older name", "topic=*", {}, true, Generation::kTopic},
      {"a separator at the end", "topic=a&", {"a"}, false, Generation::kTopic},
      {"what a client adds", "stream=messages&topic=a", {"a"}, false, Generation::kTopic},
      {"a closing brace", "topic=a}", {"a}"}, false, Generation::kTopic},
      {"half a template", "topic=a{", {"a{"}, false, Generation::kTopic},
      {"what no template may hold", "topic=a+b{c}", {"a b{c}"}, false, Generation::kTopic},
      {"the newer name beats the older one", "topic=a&match=b", {"b"}},
      {"whatever is in that", "topic={x}&topic=%FF&match=b", {"b"}},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.what);
    const SubscribeRequest request = request_of(subscribe_parts(c.query));
    EXPECT_EQ(request.selection.topics, c.topics);
    EXPECT_EQ(request.selection.all, c.all);
    EXPECT_EQ(request.generation, c.generation);
    EXPECT_EQ(request.cursor, std::nullopt);
  }
}

TEST(SubscribeRequest, selects_by_patterns) {
  const struct {
    const char* what;
    const char* query;
    std::vector<std::string> patterns;
    Topics topics = {};
    bool all = false;
  } cases[] = {
      {"one", "match_urlpattern=https://a.example/:id", {"https://a.example/:id"}},
      {"a relative one", "match_urlpattern=/books/:id", {"/books/:id"}},
      {"an empty one", "match_urlpattern=", {""}},
      {"one without signs", "match_urlpattern=https://a.example/1", {"https://a.example/1"}},
      {"two and a topic",
       "match_urlpattern=/b/*&match=/x&match_urlpattern=/a/*",
       {"/a/*", "/b/*"},
       {"/x"}},
      {"the same twice", "match_urlpattern=/a/*&match_urlpattern=%2Fa/*", {"/a/*"}},
      {"the star beside one", "match_urlpattern=/a/*&match=*", {}, {}, true},
      {"the older name beside one", "topic=x&match_urlpattern=/a/*", {"/a/*"}},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.what);
    const SubscribeRequest request = request_of(subscribe_parts(c.query));
    std::vector<std::string> patterns;
    for (const auto& pattern : request.selection.patterns) {
      patterns.push_back(pattern->text());
    }
    EXPECT_EQ(patterns, c.patterns);
    EXPECT_EQ(request.selection.topics, c.topics);
    EXPECT_EQ(request.selection.all, c.all);
    EXPECT_EQ(request.generation, Generation::kMatch);
  }
}

TEST(SubscribeRequest, of_0x_selects_by_templates_and_by_topics_that_are_written_like_them) {
  const SubscribeRequest request =
      request_of(subscribe_parts("topic=/b/{id}&topic=/a{%3Fx}&topic=c&topic=/b/{id}"));
  ASSERT_EQ(request.selection.patterns.size(), 2U);
  EXPECT_EQ(request.selection.patterns[0]->text(), "/a{?x}");
  EXPECT_EQ(request.selection.patterns[1]->text(), "/b/{id}");
  EXPECT_TRUE(request.selection.patterns[0]->matches("/a?x=1"));
  EXPECT_EQ(request.selection.topics, (Topics{"/a{?x}", "/b/{id}", "c"}));
  EXPECT_EQ(request.generation, Generation::kTopic);
  EXPECT_TRUE(request_of(subscribe_parts("topic={x}&topic=*")).selection.patterns.empty());
}

TEST(SubscribeRequest, of_0x_is_refused_where_a_template_takes_too_much_memory) {
  std::string text = "topic=x{%3Fa";
  for (int i = 0; i < 2000; ++i) {
    text += ",a";
  }
  const auto problem = refusal(subscribe_parts(text + "}"));
  EXPECT_EQ(problem, (http::Problem{.title = "malformed selector", .field = "topic"}));
}

TEST(SubscribeRequest, has_the_pattern_that_others_have) {
  const auto first = request_of(subscribe_parts("match_urlpattern=/a/*"));
  const auto second = request_of(subscribe_parts("match_urlpattern=/b/*&match_urlpattern=/a/*"));
  EXPECT_EQ(first.selection.patterns[0], second.selection.patterns[0]);
}

TEST(SubscribeRequest, is_refused_with_the_name_of_the_field) {
  const struct {
    const char* what;
    const char* query;
    const char* title;
    std::string field;
  } cases[] = {
      {"nothing", "", "missing selector", "match"},
      {"no selector", "utm=1&last_event_id=x", "missing selector", "match"},
      {"the older name in other case", "Topic=a", "missing selector", "match"},
      {"other case", "Match=a", "unknown selector", "Match"},
      {"plural", "matches=1", "unknown selector", "matches"},
      {"brackets", "match[]=a", "unknown selector", "match[]"},
      {"other case at the end", "match_URLPattern=*", "unknown selector", "match_URLPattern"},
      {"no underline", "matchurlpattern=x", "unknown selector", "matchurlpattern"},
      {"no kind", "match_=x", "unknown selector", "match_"},
      {"an unknown kind", "match_foo=x", "unknown selector", "match_foo"},
      {"an unknown kind with a star", "match_foo=*", "unknown selector", "match_foo"},
      {"an escaped one", "match%5B%5D=a", "unknown selector", "match[]"},
      {"beside a good one", "match=a&MATCH=b", "unknown selector", "MATCH"},
      {"beside the older name", "topic=a&matches=b", "unknown selector", "matches"},
      {"one that is not UTF-8", "match%FF=a", "unknown selector", "match\xFF"},
      {"a broken pattern", "match_urlpattern=https://a.example/(", "malformed selector",
       "match_urlpattern"},
      {"a pattern that cannot be run", "match_urlpattern=/((%3F%3Da)a)", "malformed selector",
       "match_urlpattern"},
      {"a pattern with NUL", "match_urlpattern=/a%00", "malformed selector", "match_urlpattern"},
      {"a broken pattern beside the star", "match=*&match_urlpattern=/(", "malformed selector",
       "match_urlpattern"},
      {"a template with NUL", "topic={id}%00", "malformed selector", "topic"},
      {"NUL", "match=a%00b", "malformed selector", "match"},
      {"not UTF-8", "match=%FF", "malformed selector", "match"},
      {"an invisible character", "match_exact=a%E2%80%8D", "malformed selector", "match_exact"},
      {"the same by the older name", "topic=a%0A", "malformed selector", "topic"},
      {"a cursor that is no text", "match=a&last_event_id=%FF", "malformed cursor",
       "last_event_id"},
      {"a cursor with a line end", "match=a&Last-Event-ID=a%0D%0Ab", "malformed cursor",
       "Last-Event-ID"},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.what);
    EXPECT_EQ(refusal(subscribe_parts(c.query)),
              (http::Problem{.status = 400, .title = c.title, .field = c.field}));
  }
}

TEST(SubscribeRequest, has_limits) {
  const Policy policy{.selectors_max = 2, .selector_bytes_max = 4};
  EXPECT_TRUE(read(subscribe_parts("match=a&match_exact=abcd&topic=abcde&topic=x"), policy));
  EXPECT_TRUE(read(subscribe_parts("match=ab%C3%A9"), policy));
  EXPECT_EQ(refusal(subscribe_parts("match=a&match=b&match_exact=c"), policy),
            (http::Problem{.title = "too many selectors", .field = "match_exact"}));
  EXPECT_EQ(refusal(subscribe_parts("match=a&match=a&match=*"), policy),
            (http::Problem{.title = "too many selectors", .field = "match"}));
  EXPECT_EQ(refusal(subscribe_parts("match=abcde"), policy),
            (http::Problem{.title = "selector too long", .field = "match"}));
  EXPECT_EQ(refusal(subscribe_parts("topic=abcde"), policy),
            (http::Problem{.title = "selector too long", .field = "topic"}));
  EXPECT_EQ(refusal(subscribe_parts("match_urlpattern=abcde"), policy),
            (http::Problem{.title = "selector too long", .field = "match_urlpattern"}));
  const std::string longest(base::kUrlPatternBytesMax, 'a');
  const Policy generous{.selector_bytes_max = 2 * base::kUrlPatternBytesMax};
  EXPECT_TRUE(read(subscribe_parts("match_urlpattern=" + longest), generous));
  EXPECT_EQ(refusal(subscribe_parts("match_urlpattern=a" + longest), generous),
            (http::Problem{.title = "selector too long", .field = "match_urlpattern"}));
}

TEST(SubscribeRequest, takes_the_first_cursor_that_is_not_empty) {
  const struct {
    const char* what;
    const char* query;  // besides the selector
    std::vector<http::Field> fields;
    std::optional<std::string> cursor;
  } cases[] = {
      {"none", "", {}, std::nullopt},
      {"the header", "", {{"Last-Event-ID", "i1"}}, "i1"},
      {"the header beats the query", "last_event_id=i1", {{"last-event-id", "i2"}}, "i2"},
      {"the protocol's name", "last_event_id=i1", {}, "i1"},
      {"the older name", "lastEventID=i1", {}, "i1"},
      {"the oldest name", "Last-Event-ID=i1", {}, "i1"},
      {"the polyfill's name", "lastEventId=i1", {}, "i1"},
      {"the polyfill's goes first", "lastEventID=i1&last_event_id=i2&lastEventId=i3", {}, "i3"},
      {"then the protocol's", "Last-Event-ID=i1&lastEventID=i2&last_event_id=i3", {}, "i3"},
      {"then the older one", "Last-Event-ID=i1&lastEventID=i2", {}, "i2"},
      {"the first of one name", "last_event_id=i1&last_event_id=i2", {}, "i1"},
      {"an escaped one", "last_event_id=%23a.1", {}, "#a.1"},
      {"all there is", "last_event_id=earliest", {}, "earliest"},
      {"letters beyond ASCII", "", {{"Last-Event-ID", "\xC3\xA9"}}, "\xC3\xA9"},
      {"an empty header", "", {{"Last-Event-ID", ""}}, ""},
      {"an empty header, then the query", "lastEventID=i1", {{"Last-Event-ID", ""}}, "i1"},
      {"an empty name, then another", "lastEventId=&last_event_id=i1", {}, "i1"},
      {"all are empty", "lastEventId&last_event_id=", {{"Last-Event-ID", ""}}, ""},
      {"the first is empty, of one name", "last_event_id=&last_event_id=i1", {}, ""},
      {"a name that is not known", "last_Event_id=i1&cursor=i2", {}, std::nullopt},
      {"one that does not count is not judged", "lastEventID=%FF", {{"Last-Event-ID", "i1"}}, "i1"},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.what);
    const std::string query = std::string("match=a&") + c.query;
    EXPECT_EQ(request_of(subscribe_parts(query, c.fields)).cursor, c.cursor);
  }
}

TEST(SubscribeRequest, takes_a_cursor_of_any_length) {
  const std::string cursor(5000, 'x');
  EXPECT_EQ(request_of(subscribe_parts("match=a&last_event_id=" + cursor)).cursor, cursor);
}

TEST(SubscribeRequest, names_the_header_of_a_cursor_that_is_no_text) {
  EXPECT_EQ(refusal(subscribe_parts("match=a", {{"Last-Event-ID", "\xE9"}})),
            (http::Problem{.title = "malformed cursor", .field = "Last-Event-ID"}));
}

TEST(SubscribeRequest, takes_a_cursor_by_the_older_rules_too) {
  const SubscribeRequest request =
      request_of(subscribe_parts("topic=a&lastEventID=i1&lastEventId=i3"));
  EXPECT_EQ(request.cursor, "i3");
  EXPECT_EQ(request.generation, Generation::kTopic);
}

TEST(SubscribeRequest, knows_a_native_event_source) {
  const http::Field accept{"Accept", "text/event-stream"};
  const http::Field pragma{"Pragma", "no-cache"};
  const http::Field cache{"Cache-Control", "no-cache"};
  const http::Field mode{"Sec-Fetch-Mode", "cors"};
  const http::Field agent{"User-Agent", "Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0"};
  const struct {
    const char* what;
    std::vector<http::Field> fields;
    bool native;
  } cases[] = {
      {"on loopback or with TLS", {accept, pragma, cache, mode}, true},
      {"over plain HTTP", {agent, accept, pragma, cache}, true},
      {"nothing", {}, false},
      {"a program", {accept, pragma, cache, {"User-Agent", "curl/8.0"}}, false},
      {"a program without a name", {accept, pragma, cache}, false},
      {"a polyfill, which takes more",
       {{"Accept", "text/event-stream, */*"}, pragma, cache, mode},
       false},
      {"fetch() of a page", {{"Accept", "*/*"}, pragma, cache, mode}, false},
      {"fetch() for a stream", {accept, mode, agent}, false},
      {"no Pragma", {accept, cache, mode}, false},
      {"no Cache-Control", {accept, pragma, mode}, false},
      {"another Cache-Control", {accept, pragma, {"Cache-Control", "no-store"}, mode}, false},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.what);
    const auto hello = c.native ? fanout::Hello::kNamed : fanout::Hello::kQuiet;
    EXPECT_EQ(request_of(subscribe_parts("match=a", c.fields)).hello, hello);
    EXPECT_EQ(
        request_of(subscribe_parts("match=a", c.fields), {.hello = base::HelloMode::kAlways}).hello,
        fanout::Hello::kNamed);
    EXPECT_EQ(
        request_of(subscribe_parts("match=a", c.fields), {.hello = base::HelloMode::kNever}).hello,
        fanout::Hello::kQuiet);
  }
}

TEST(SubscribeRequest, opens_no_stream_with_head) {
  TestRequest::Parts parts = subscribe_parts("match=a");
  EXPECT_TRUE(request_of(parts).opens_stream);
  parts.method = "HEAD";
  EXPECT_FALSE(request_of(parts).opens_stream);
  parts.target = std::string(kHubPath);
  EXPECT_EQ(refusal(parts).status, 400);
}

TEST(SubscribeRequest, is_not_made_by_a_link_or_an_image) {
  for (const std::string_view mode : {"navigate", "no-cors"}) {
    SCOPED_TRACE(mode);
    EXPECT_EQ(
        refusal(subscribe_parts("match=a", {{"Sec-Fetch-Mode", mode}})),
        (http::Problem{
            .status = 403, .title = "not a request for a stream", .field = "Sec-Fetch-Mode"}));
  }
  EXPECT_EQ(refusal(subscribe_parts("match=a",
                                    {{"Sec-Fetch-Mode", "cors"}, {"Sec-Fetch-Mode", "navigate"}}))
                .status,
            403);
  for (const std::string_view mode : {"cors", "same-origin"}) {
    SCOPED_TRACE(mode);
    EXPECT_TRUE(read(subscribe_parts("match=a", {{"Sec-Fetch-Mode", mode}})));
  }
}

TEST(SubscribeRequest, takes_a_stream) {
  EXPECT_EQ(refusal(subscribe_parts("match=a", {{"Accept", "application/json"}})),
            (http::Problem{.status = 406, .title = "stream not accepted", .field = "Accept"}));
  EXPECT_TRUE(read(subscribe_parts("match=a", {{"Accept", "text/*"}})));
}

}  // namespace
}  // namespace vrelo::api
