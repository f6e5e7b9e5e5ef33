// SPDX-License-Identifier: Apache-2.0
#include "hub/api/reserved_topic.h"

#include <array>
#include <cstddef>
#include <random>
#include <string>
#include <string_view>

#include <gtest/gtest.h>

namespace vrelo::api {
namespace {

// The rows of mercure.md 2.2, and others of their kind.
TEST(ReservedTopic, is_what_leads_to_the_hub) {
  const struct {
    const char* what;
    std::string_view topic;
    bool reserved;
  } cases[] = {
      {"the hub", "/.well-known/mercure", true},
      {"below the hub", "/.well-known/mercure/x", true},
      {"a slash at the end", "/.well-known/mercure/", true},
      {"a query", "/.well-known/mercure?x", true},
      {"a fragment", "/.well-known/mercure#x", true},
      {"another host", "https://any.example/.well-known/mercure/subscriptions/a", true},
      {"another host, without a scheme", "//x/.well-known/mercure", true},
      {"http, and a port", "http://any.example:81/.well-known/mercure", true},
      {"user information", "https://u:p@any.example/.well-known/mercure", true},
      {"an escaped letter", "/.well-known/%6Dercure/a", true},
      {"the same with a small digit", "/.well-known/%6dercure/a", true},
      {"all letters escaped", "/%2E%77%65%6C%6C%2D%6B%6E%6F%77%6E/%6D%65%72%63%75%72%65", true},
      {"escaped dots", "/.well-known/x/%2e%2e/mercure/a", true},
      {"half escaped dots", "/.well-known/x/.%2E/mercure", true},
      {"an escaped single dot", "/%2e/.well-known/mercure", true},
      {"dots", "/.well-known/mercure/../mercure/a", true},
      {"dots above the root", "/../../.well-known/mercure", true},
      {"backslashes", "\\.well-known\\mercure\\a", true},
      {"two backslashes and a host", "\\\\x\\.well-known\\mercure", true},
      {"a space in front", " /.well-known/mercure", true},
      {"spaces around", "  /.well-known/mercure  ", true},
      {"a tab inside", "/.well-known/mer\tcure", true},
      {"line ends inside", "/.well-\nknown/mercure\r", true},
      {"a control in front", std::string_view("\0/.well-known/mercure", 21), true},
      {"another scheme", "foo:/.well-known/mercure/a", true},
      {"another scheme with a host", "foo://host/.well-known/mercure", true},
      {"urn with a path", "urn:/.well-known/mercure/a", true},
      {"a file", "file:///.well-known/mercure", true},
      {"https without a host", "https:mercure/x", true},
      {"http without a host", "http:mercure", true},
      {"the scheme in other case", "HTTPS:mercure", true},
      {"https without a host, with a path", "https:/.well-known/mercure", true},
      {"only https", "https:", true},
      {"only http, and a space", "http: ", true},
      {"https and a query", "https:?x", true},
      {"http and a fragment", "http:#x", true},
      {"a relative word", "mercure", true},
      {"a relative word, and more", "mercure/x", true},
      {"below a relative word, by dots", "x/../mercure", true},
      {"from this folder", "./mercure", true},
      {"from the folder above", "../.well-known/mercure", true},
      {"nothing", "", true},
      {"a space", " ", true},
      {"a query alone", "?a=b", true},
      {"a fragment alone", "#x", true},
      {"a space and a query", " ?a", true},
      {"dots in an opaque path", "urn:x/../.well-known/mercure", true},

      {"a longer word", "/.well-known/mercurex", false},
      {"a shorter word", "/.well-known/mercur", false},
      {"other case", "/.Well-Known/mercure/x", false},
      {"an escaped slash", "/.well-known/mercure%2Fx", false},
      {"an escape of an escape", "/.well-known/%256Dercure", false},
      {"an opaque path", "urn:x:/.well-known/mercure", false},
      {"an opaque path with that word", "urn:mercure", false},
      {"an empty segment", "/.well-known//mercure/x", false},
      {"an empty segment in front", "foo:////.well-known/mercure", false},
      {"no URL", "http://[bad", false},
      {"no URL, with the path", "http://[bad/.well-known/mercure", false},
      {"another word", "MERCURE", false},
      {"a word", "chat-room", false},
      {"this folder", ".", false},
      {"the folder above", "..", false},
      {"above the hub, by dots", "/.well-known/mercure/..", false},
      {"the hub in the query", "https://a.example/?/.well-known/mercure", false},
      {"the hub in the fragment", "https://a.example/#/.well-known/mercure", false},
      {"the hub below another path", "https://a.example/x/.well-known/mercure", false},
      {"the hub as a host", "https://mercure/x", false},
      {"a special scheme without a host", "wss:mercure", false},
      {"backslashes in a scheme that has none", "foo:\\.well-known\\mercure", false},
      {"an ordinary topic", "https://a.example/books/1", false},
      {"a topic with a space", "a b \xC3\xA9", false},
      {"wide letters",
       "/.well-known/\xEF\xBD\x8D"
       "ercure",
       false},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.what);
    EXPECT_EQ(is_reserved_topic(c.topic), c.reserved);
    EXPECT_EQ(resolves_to_hub(c.topic), c.reserved);
  }
}

TEST(ReservedTopic, is_not_looked_at_closely_where_a_scan_is_enough) {
  for (const std::string_view topic :
       {"https://a.example/books/1", "chat-room", "urn:uuid:9d0f3c1e", "/orders/7?state=open",
        "a b c", "https://a.example/a#b", "http://a.example"}) {
    SCOPED_TRACE(topic);
    EXPECT_FALSE(may_resolve_to_hub(topic));
  }
}

TEST(ReservedTopic, is_never_missed_by_the_scan) {
  constexpr std::array<std::string_view, 36> kPieces = {
      ".",    "..",  "/",     "//",     "\\",      "?",   "#",    ":",           "@",
      " ",    "\t",  "\n",    "%",      "%2e",     "%2F", "%6D",  "%6d",         "m",
      "e",    "x",   "http",  "https:", "HTTP:",   "ws:", "urn:", "file:",       "foo:",
      "host", "a.b", "[::1]", "C|",     "mercure", "mer", "cure", ".well-known", "\xC3\xA9"};
  constexpr unsigned kSeed = 20'261'001;
  SCOPED_TRACE(kSeed);
  std::mt19937 random(kSeed);
  std::uniform_int_distribution<std::size_t> piece(0, kPieces.size() - 1);
  std::uniform_int_distribution<int> length(0, 9);
  int reserved = 0;
  int skipped = 0;
  for (int i = 0; i < 50'000; ++i) {
    std::string topic;
    for (int left = length(random); left > 0; --left) {
      topic += kPieces[piece(random)];
    }
    const bool resolves = resolves_to_hub(topic);
    reserved += resolves ? 1 : 0;
    skipped += may_resolve_to_hub(topic) ? 0 : 1;
    ASSERT_EQ(is_reserved_topic(topic), resolves) << topic;
  }
  // Else the topics were not of the kind that this test is about.
  EXPECT_GT(reserved, 500);
  EXPECT_GT(skipped, 1000);
}

TEST(ReservedTopic, is_what_leads_to_the_path_that_the_hub_has) {
  const struct {
    const char* topic;
    bool reserved;
  } cases[] = {{"/rt/hub", true},
               {"/rt/hub/x", true},
               {"hub", true},
               {"https://any.example/rt/hub?x", true},
               {"/rt/x/../%68ub", true},
               {"", true},
               {"/rt/hubx", false},
               {"/rt", false},
               {"/x/rt/hub", false},
               {"mercure", false},
               {"/.well-known/mercure/x", false}};
  for (const auto& c : cases) {
    SCOPED_TRACE(c.topic);
    EXPECT_EQ(is_reserved_topic(c.topic, "/rt/hub"), c.reserved);
    EXPECT_EQ(resolves_to_hub(c.topic, "/rt/hub"), c.reserved);
  }
}

}  // namespace
}  // namespace vrelo::api
