// SPDX-License-Identifier: Apache-2.0
#include "hub/base/topic_patterns.h"

#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

namespace vrelo::base {
namespace {

constexpr std::string_view kHub = "https://hub.example.com/.well-known/mercure";

TEST(TopicPatterns, compile_equal_texts_once) {
  TopicPatterns patterns(UrlBase::make(kHub));
  const auto first = patterns.url_pattern("/a/:b");
  ASSERT_NE(first, nullptr);
  EXPECT_EQ(patterns.url_pattern("/a/:b"), first);
  EXPECT_NE(patterns.url_pattern("/a/:c"), first);
  EXPECT_EQ(patterns.url_pattern("/a/("), nullptr);
  EXPECT_EQ(patterns.url_pattern("/a/:b")->text(), "/a/:b");
}

TEST(TopicPatterns, tell_a_template_from_a_url_pattern_that_is_written_like_it) {
  TopicPatterns patterns(UrlBase::make(kHub));
  const auto pattern = patterns.url_pattern("/a{/b}");
  const auto uri_template = patterns.uri_template("/a{/b}");
  ASSERT_NE(pattern, nullptr);
  ASSERT_NE(uri_template, nullptr);
  EXPECT_EQ(patterns.uri_template("/a{/b}"), uri_template);
  EXPECT_NE(pattern, uri_template);
  EXPECT_TRUE(pattern->matches("/a/b"));
  EXPECT_FALSE(pattern->matches("/a/c"));
  EXPECT_TRUE(uri_template->matches("/a/c"));
  EXPECT_EQ(patterns.uri_template("/a/b"), nullptr);
}

TEST(TopicPatterns, forget_what_nobody_has) {
  TopicPatterns patterns(UrlBase::make(kHub));
  std::vector<TopicPatternPtr> kept;
  for (int i = 0; i < 1000; ++i) {
    const auto made = patterns.url_pattern("/a/:b/" + std::to_string(i));
    if (i % 100 == 0) {
      kept.push_back(made);
    }
  }
  EXPECT_LE(patterns.size(), 64U);
  for (std::size_t i = 0; i < kept.size(); ++i) {
    EXPECT_EQ(patterns.url_pattern("/a/:b/" + std::to_string(i * 100)), kept[i]);
  }
}

TEST(TopicPatterns, may_be_asked_by_several_threads) {
  TopicPatterns patterns(UrlBase::make(kHub));
  std::vector<TopicPatternPtr> found(4);
  std::vector<std::thread> threads;
  for (auto& mine : found) {
    threads.emplace_back([&patterns, &mine] {
      mine = patterns.url_pattern("/books/:id");
      for (int i = 0; i < 100; ++i) {
        EXPECT_NE(patterns.url_pattern("/books/:id/" + std::to_string(i)), nullptr);
        EXPECT_TRUE(mine->matches("/books/" + std::to_string(i)));
      }
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  for (const auto& mine : found) {
    EXPECT_EQ(mine, found[0]);
  }
}

}  // namespace
}  // namespace vrelo::base
