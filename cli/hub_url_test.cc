// SPDX-License-Identifier: Apache-2.0
#include "cli/hub_url.h"

#include <array>

#include <gtest/gtest.h>

namespace vrelo::cli {
namespace {

using sse::client::to_string;

TEST(HubUrl, has_the_path_of_a_hub_where_it_names_none) {
  EXPECT_EQ(to_string(hub_url(*read_url("http://a:3000"))), "http://a:3000/.well-known/mercure");
  EXPECT_EQ(to_string(hub_url(*read_url("http://a/?b=c"))), "http://a/.well-known/mercure?b=c");
  EXPECT_EQ(to_string(hub_url(*read_url("http://a/hub"))), "http://a/hub");
}

TEST(HubUrl, asks_for_topics) {
  const std::array<std::string, 2> topics{"news", "/a?b&c"};
  EXPECT_EQ(to_string(with_topics(*read_url("http://a/hub"), topics)),
            "http://a/hub?match=news&match=%2Fa%3Fb%26c");
  EXPECT_EQ(to_string(with_topics(*read_url("http://a/hub?match=x"), topics)),
            "http://a/hub?match=x&match=news&match=%2Fa%3Fb%26c");
}

TEST(HubUrl, is_refused_with_what_may_have_been_meant) {
  EXPECT_EQ(read_url("127.0.0.1:3000").error().message,
            "127.0.0.1:3000: this is not a URL; did you mean http://127.0.0.1:3000?");
  EXPECT_EQ(read_url("localhost:3000/x").error().message,
            "localhost:3000/x: the URL must begin with http:// or https://; did you mean "
            "http://localhost:3000/x?");
  EXPECT_EQ(read_url("ftp://a").error().message,
            "ftp://a: the URL must begin with http:// or https://");
  EXPECT_EQ(read_url("localhost/x").error().message,
            "localhost/x: this is not a URL; did you mean http://localhost/x?");
  EXPECT_EQ(read_url("news").error().message,
            "news: this is not a URL; one looks like http://127.0.0.1:3000");
  EXPECT_EQ(read_url("").error().message, "the URL is empty");
  EXPECT_EQ(read_url("http://\x1B").error().message, "http://\\u{1B}: this is not a URL");
}

TEST(HubUrl, is_refused_where_a_part_of_it_would_not_be_sent) {
  EXPECT_EQ(read_url("http://a/?match=b&last_event_id=#k3.17").error().message,
            "http://a/?match=b&last_event_id=#k3.17: what stands behind # is not sent; where it is "
            "meant, as in an id, write %23");
}

TEST(HubUrl, is_not_repeated_where_it_holds_a_secret) {
  for (const std::string_view text : {"http://me:secret@a", "me:secret@a", "me:secret@a:81/x"}) {
    EXPECT_EQ(read_url(text).error().message, "the URL holds a user or a password") << text;
  }
}

}  // namespace
}  // namespace vrelo::cli
