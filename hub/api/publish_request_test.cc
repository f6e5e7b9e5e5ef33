// SPDX-License-Identifier: Apache-2.0
#include "hub/api/publish_request.h"

#include <chrono>
#include <string>
#include <string_view>

#include <gtest/gtest.h>

#include "hub/api/request_testing.h"

namespace vrelo::api {
namespace {

using std::chrono::milliseconds;

boost::system::result<log::Event, http::Problem> read(const TestRequest::Parts& parts,
                                                      const Policy& policy = {}) {
  const TestRequest request(parts);
  return read_publish(*request, policy);
}

// Returns the event of a form that is fine.
log::Event event_of(std::string form) {
  const auto event = read(publish_parts(std::move(form)));
  EXPECT_TRUE(event) << event.error().title << " " << event.error().detail;
  return event ? *event : log::Event{};
}

// Returns the refusal of a form that is not, without its detail.
http::Problem refusal(const TestRequest::Parts& parts, const Policy& policy = {}) {
  const auto event = read(parts, policy);
  EXPECT_TRUE(event.has_error());
  http::Problem problem = event ? http::Problem{.title = "none"} : event.error();
  problem.detail = {};
  return problem;
}

TEST(PublishRequest, is_an_event) {
  EXPECT_EQ(event_of("topic=https://a.example/1&topic=b&data=hi&id=urn:x:1&type=news&retry=1500&"
                     "private=on"),
            (log::Event{.topics = {"https://a.example/1", "b"},
                        .id = "urn:x:1",
                        .type = "news",
                        .data = "hi",
                        .retry = milliseconds(1500),
                        .is_private = true}));
}

TEST(PublishRequest, needs_no_more_than_a_topic) {
  EXPECT_EQ(event_of("topic=a"), (log::Event{.topics = {"a"}}));
}

TEST(PublishRequest, is_read_as_it_was_meant) {
  const struct {
    const char* what;
    std::string form;
    log::Event event;
  } cases[] = {
      {"nothing escaped", "topic=a&data={\"p\":\"100%\"}", {{"a"}, "", "", "{\"p\":\"100%\"}"}},
      {"a semicolon is data", "topic=a;data=b", {{"a;data=b"}}},
      {"spaces and letters beyond ASCII", "topic=a+b+%C3%A9", {{"a b \xC3\xA9"}}},
      {"raw UTF-8", "topic=\xC3\xA9", {{"\xC3\xA9"}}},
      {"line ends in data", "topic=a&data=a%0Ab%0D%0Ac%0Dd", {{"a"}, "", "", "a\nb\r\nc\rd"}},
      {"NUL in data", "topic=a&data=%00", {{"a"}, "", "", std::string(1, '\0')}},
      {"a format character in data", "topic=a&data=%E2%80%8D", {{"a"}, "", "", "\xE2\x80\x8D"}},
      {"unknown names", "topic=a&foo=bar&Topic=%FF&Target=x", {{"a"}}},
      {"an escaped name", "%74opic=a", {{"a"}}},
      {"empty id, type and retry", "topic=a&id=&type=&retry=", {{"a"}}},
      {"the first of each counts",
       "topic=a&data=1&data=%FF&id=1&id=%23&type=1&type=mercure&retry=1&retry=x",
       {{"a"}, "1", "1", "1", milliseconds(1)}},
      {"also if it is empty", "topic=a&id=&id=2", {{"a"}}},
      {"a topic twice", "topic=a&topic=a", {{"a", "a"}}},
      {"private without a value", "topic=a&private", {{"a"}, "", "", "", {}, true}},
      {"private=0", "topic=a&private=0", {{"a"}, "", "", "", {}, true}},
      {"private=false", "topic=a&private=false", {{"a"}, "", "", "", {}, true}},
      {"private with an odd value", "topic=a&private=%FF", {{"a"}, "", "", "", {}, true}},
      {"not quite earliest", "topic=a&id=Earliest", {{"a"}, "Earliest"}},
      {"a hash inside an id", "topic=a&id=a%23", {{"a"}, "a#"}},
      {"a space inside an id", "topic=a&id=a+b", {{"a"}, "a b"}},
      {"not quite mercure", "topic=a&type=Mercure", {{"a"}, "", "Mercure"}},
      {"not quite one of the hub's types", "topic=a&type=vrelo", {{"a"}, "", "vrelo"}},
      {"a retry of nothing", "topic=a&retry=0", {{"a"}, "", "", "", milliseconds(0)}},
      {"the longest retry",
       "topic=a&retry=9999999999",
       {{"a"}, "", "", "", milliseconds(9'999'999'999)}},
      {"zeros in front", "topic=a&retry=0000000007", {{"a"}, "", "", "", milliseconds(7)}},
      {"a star inside a topic", "topic=a*", {{"a*"}}},
      {"beside the hub", "topic=/.well-known/mercurex", {{"/.well-known/mercurex"}}},
      {"an opaque path", "topic=urn:x:/.well-known/mercure", {{"urn:x:/.well-known/mercure"}}},
      {"no URL", "topic=http://[bad", {{"http://[bad"}}},
      {"a trailing separator", "&topic=a&", {{"a"}}},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.what);
    EXPECT_EQ(event_of(c.form), c.event);
  }
}

TEST(PublishRequest, is_refused_with_the_name_of_the_field) {
  const struct {
    const char* what;
    const char* form;
    int status;
    const char* title;
    const char* field;
  } cases[] = {
      {"no topic", "data=x", 400, "missing topic", "topic"},
      {"the name in other case", "Topic=a", 400, "missing topic", "topic"},
      {"the topic is not UTF-8", "topic=%FF", 400, "malformed topic", "topic"},
      {"NUL in a topic", "topic=a%00", 400, "malformed topic", "topic"},
      {"U+0085 in a topic", "topic=a%C2%85", 400, "malformed topic", "topic"},
      {"U+200D in a topic", "topic=a%E2%80%8D", 400, "malformed topic", "topic"},
      {"U+00AD in a topic", "topic=a%C2%AD", 400, "malformed topic", "topic"},
      {"U+FEFF in a topic", "topic=%EF%BB%BFa", 400, "malformed topic", "topic"},
      {"a tab in a topic", "topic=a%09b", 400, "malformed topic", "topic"},
      {"the second topic", "topic=a&topic=%FF", 400, "malformed topic", "topic"},
      {"the star", "topic=*", 400, "reserved topic", "topic"},
      {"the star as the second", "topic=a&topic=*", 400, "reserved topic", "topic"},
      {"a topic of the hub", "topic=/.well-known/mercure/x", 400, "reserved topic", "topic"},
      {"the same as the second", "topic=a&topic=mercure", 400, "reserved topic", "topic"},
      {"an empty topic", "topic=", 400, "missing topic", "topic"},
      {"an escape in an escape", "topic=/.well-known/%256Dercure", 400, "reserved topic", "topic"},
      {"data is not UTF-8", "topic=a&data=%FF", 400, "malformed data", "data"},
      {"half a surrogate in data", "topic=a&data=%ED%A0%80", 400, "malformed data", "data"},
      {"the id of the hub's kind", "topic=a&id=%23x", 400, "malformed id", "id"},
      {"earliest", "topic=a&id=earliest", 400, "malformed id", "id"},
      {"CR in an id", "topic=a&id=a%0Db", 400, "malformed id", "id"},
      {"U+0085 in an id", "topic=a&id=a%C2%85b", 400, "malformed id", "id"},
      {"U+200B in an id", "topic=a&id=a%E2%80%8Bb", 400, "malformed id", "id"},
      {"the id is not UTF-8", "topic=a&id=%80", 400, "malformed id", "id"},
      {"a space before an id", "topic=a&id=+a", 400, "malformed id", "id"},
      {"a space after an id", "topic=a&id=a+", 400, "malformed id", "id"},
      {"the id is a space", "topic=a&id=+", 400, "malformed id", "id"},
      {"LF in a type", "topic=a&type=a%0Ab", 400, "malformed type", "type"},
      {"mercure as a type", "topic=a&type=mercure", 400, "reserved type", "type"},
      {"a type of the hub", "topic=a&type=vrelo.gap", 400, "reserved type", "type"},
      {"the hub's prefix", "topic=a&type=vrelo.", 400, "reserved type", "type"},
      {"a negative retry", "topic=a&retry=-1", 400, "malformed retry", "retry"},
      {"a retry with a sign", "topic=a&retry=%2B1", 400, "malformed retry", "retry"},
      {"a fraction", "topic=a&retry=1.5", 400, "malformed retry", "retry"},
      {"a unit", "topic=a&retry=5s", 400, "malformed retry", "retry"},
      {"digits of another script", "topic=a&retry=%D9%A1", 400, "malformed retry", "retry"},
      {"a space", "topic=a&retry=+1", 400, "malformed retry", "retry"},
      {"eleven digits", "topic=a&retry=00000000001", 413, "retry too long", "retry"},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.what);
    EXPECT_EQ(refusal(publish_parts(c.form)),
              (http::Problem{.status = c.status, .title = c.title, .field = c.field}));
  }
}

TEST(PublishRequest, with_an_audience_of_before_0x_is_refused_where_such_clients_are_served) {
  for (const char* const form : {"topic=a&target=x", "target=&topic=a", "topic=a&t%61rget=x"}) {
    EXPECT_EQ(refusal(publish_parts(form)),
              (http::Problem{.status = 400, .title = "audience not supported", .field = "target"}));
  }
  EXPECT_TRUE(read(publish_parts("topic=a&target=x"), {.mercure_0x = false}));
}

TEST(PublishRequest, has_limits) {
  const Policy policy{.topics_max = 2, .topic_bytes_max = 4};
  const struct {
    const char* what;
    std::string form;
    const char* title;  // "": fine
    const char* field;
  } cases[] = {
      {"as many topics as there may be", "topic=a&topic=b", "", ""},
      {"one topic more", "topic=a&topic=b&topic=c", "too many topics", "topic"},
      {"equal ones count too", "topic=a&topic=a&topic=a", "too many topics", "topic"},
      {"the longest topic", "topic=abcd", "", ""},
      {"bytes count, not characters", "topic=ab%C3%A9", "", ""},
      {"a topic of one byte more", "topic=a&topic=abcde", "topic too long", "topic"},
      {"the longest id", "topic=a&id=" + std::string(128, 'x'), "", ""},
      {"an id of one byte more", "topic=a&id=" + std::string(129, 'x'), "id too long", "id"},
      {"the longest type", "topic=a&type=" + std::string(128, 'x'), "", ""},
      {"a type of one byte more", "topic=a&type=" + std::string(129, 'x'), "type too long", "type"},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.what);
    if (*c.title == '\0') {
      EXPECT_TRUE(read(publish_parts(c.form), policy));
    } else {
      EXPECT_EQ(refusal(publish_parts(c.form), policy),
                (http::Problem{.status = 413, .title = c.title, .field = c.field}));
    }
  }
}

TEST(PublishRequest, is_a_form) {
  const struct {
    const char* what;
    std::vector<http::Field> fields;
    int status;  // 200: fine
    const char* title;
  } cases[] = {
      {"the type", {{"Content-Type", "application/x-www-form-urlencoded"}}, 200, ""},
      {"other case, and a parameter",
       {{"Content-Type", "Application/X-WWW-Form-UrlEncoded; charset=UTF-8"}},
       200,
       ""},
      {"as it is",
       {{"Content-Type", "application/x-www-form-urlencoded"}, {"Content-Encoding", "Identity"}},
       200,
       ""},
      {"no type", {}, 400, "missing Content-Type"},
      {"no text", {{"Content-Type", ""}}, 400, "malformed Content-Type"},
      {"what is no type", {{"Content-Type", "form"}}, 400, "malformed Content-Type"},
      {"two types",
       {{"Content-Type", "application/x-www-form-urlencoded"},
        {"Content-Type", "application/x-www-form-urlencoded"}},
       400,
       "malformed Content-Type"},
      {"JSON", {{"Content-Type", "application/json"}}, 415, "not a form"},
      {"the other form", {{"Content-Type", "multipart/form-data; boundary=x"}}, 415, "not a form"},
      {"what a page can send without CORS", {{"Content-Type", "text/plain"}}, 415, "not a form"},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.what);
    TestRequest::Parts parts = publish_parts("topic=a");
    parts.fields = c.fields;
    if (c.status == 200) {
      EXPECT_TRUE(read(parts));
    } else {
      EXPECT_EQ(refusal(parts),
                (http::Problem{.status = c.status, .title = c.title, .field = "Content-Type"}));
    }
  }
}

TEST(PublishRequest, is_not_compressed) {
  TestRequest::Parts parts = publish_parts("topic=a");
  parts.fields.emplace_back("Content-Encoding", "gzip");
  EXPECT_EQ(refusal(parts),
            (http::Problem{
                .status = 415, .title = "unknown Content-Encoding", .field = "Content-Encoding"}));
}

TEST(PublishRequest, says_in_a_sentence_what_is_wrong) {
  const auto refused = read(publish_parts("topic=a&id=a%0Ab"));
  ASSERT_TRUE(refused.has_error());
  EXPECT_EQ(refused.error().detail, "It has a control character.");
}

}  // namespace
}  // namespace vrelo::api
