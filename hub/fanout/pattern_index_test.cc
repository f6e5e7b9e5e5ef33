// SPDX-License-Identifier: Apache-2.0
#include "hub/fanout/pattern_index.h"

#include <string>
#include <string_view>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "hub/base/topic_patterns.h"

namespace vrelo::fanout {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

constexpr log::HashKey kKey = {1, 2};

class PatternIndexTest : public ::testing::Test {
 protected:
  void add(std::string_view text) {
    const auto pattern = patterns_.url_pattern(text);
    ASSERT_NE(pattern, nullptr) << text;
    kept_.push_back(pattern);
    index_.entry(pattern);
  }

  void add_template(std::string_view text) {
    const auto pattern = patterns_.uri_template(text);
    ASSERT_NE(pattern, nullptr) << text;
    kept_.push_back(pattern);
    index_.entry(pattern);
  }

  // Returns the patterns that match an event with these topics.
  std::vector<std::string> matches(const std::vector<std::string>& topics) {
    std::vector<std::string> found;
    base::AskedTopics asked;
    for (const std::string& topic : topics) {
      asked.emplace_back(topic);
    }
    index_.for_each_match(
        asked, [&found](const PatternEntry& entry) { found.push_back(entry.pattern->text()); });
    return found;
  }

  base::TopicPatterns patterns_{base::UrlBase::make("https://hub.example.com/.well-known/mercure")};
  std::vector<base::TopicPatternPtr> kept_;
  PatternIndex index_{kKey};
};

TEST_F(PatternIndexTest, leads_to_each_pattern_that_matches) {
  add("https://example.com/books/:id");
  add("https://example.com/books/1");
  add("https://example.com/*");
  add("https://*/books/1");
  add("*://*/*/:id");
  add("/books/:id");
  add(R"(urn\:uuid\:*)");
  EXPECT_THAT(matches({"https://example.com/books/1"}),
              UnorderedElementsAre("https://example.com/books/:id", "https://example.com/books/1",
                                   "https://example.com/*", "https://*/books/1", "*://*/*/:id"));
  EXPECT_THAT(matches({"/books/2"}), UnorderedElementsAre("/books/:id", "*://*/*/:id"));
  EXPECT_THAT(matches({"urn:uuid:1"}), ElementsAre(R"(urn\:uuid\:*)"));
  EXPECT_THAT(matches({"http://[bad"}), IsEmpty());
  EXPECT_THAT(matches({"https://example.com"}), ElementsAre("https://example.com/*"));
}

TEST_F(PatternIndexTest, leads_to_a_pattern_once_whatever_topics_match) {
  add("/books/:id");
  EXPECT_THAT(matches({"/books/1", "/other", "/books/2"}), ElementsAre("/books/:id"));
  EXPECT_THAT(matches({"/other", "/books/2"}), ElementsAre("/books/:id"));
  EXPECT_EQ(index_.candidates(), 3U);
}

TEST_F(PatternIndexTest, does_not_look_at_patterns_of_another_host_or_first_segments) {
  for (int i = 0; i < 100; ++i) {
    add("https://example.com/users/" + std::to_string(i) + "/*");
    add("https://" + std::to_string(i) + ".example.com/users/:id");
    add("https://*.example.com/" + std::to_string(i) + "/:id");
  }
  EXPECT_THAT(matches({"https://example.com/teams/42/x"}), IsEmpty());
  EXPECT_THAT(matches({"https://other.example/users/42/x"}), IsEmpty());
  EXPECT_EQ(index_.candidates(), 0U);
  EXPECT_THAT(matches({"https://example.com/users/42/x"}),
              ElementsAre("https://example.com/users/42/*"));
  EXPECT_THAT(matches({"https://7.example.com/users/42"}),
              ElementsAre("https://7.example.com/users/:id"));
  EXPECT_THAT(matches({"https://7.example.com/42/users"}),
              ElementsAre("https://*.example.com/42/:id"));
  EXPECT_EQ(index_.candidates(), 3U);
}

TEST_F(PatternIndexTest, finds_patterns_of_more_segments_than_it_looks_at) {
  const std::string long_path = "/a/b/c/d/e/f/g/h/i/j";
  add(long_path);
  add(long_path + "/:id");
  add("/a/b/c/d/e/f/g/h");
  add("/a/b/c/d/e/f/g/h/");
  add("/a/b/c/d/e/f/g/");
  EXPECT_THAT(matches({long_path}), ElementsAre(long_path));
  EXPECT_THAT(matches({long_path + "/1"}), ElementsAre(long_path + "/:id"));
  EXPECT_THAT(matches({"/a/b/c/d/e/f/g/h"}), ElementsAre("/a/b/c/d/e/f/g/h"));
  EXPECT_THAT(matches({"/a/b/c/d/e/f/g/h/"}), ElementsAre("/a/b/c/d/e/f/g/h/"));
  EXPECT_THAT(matches({"/a/b/c/d/e/f/g/"}), ElementsAre("/a/b/c/d/e/f/g/"));
}

TEST_F(PatternIndexTest, leads_to_each_template_that_matches) {
  add_template("https://example.com/books/{id}");
  add_template("https://example.com{/kind}/1");
  add_template("{+any}/1");
  add_template("books/{id}");
  add_template("chat-{room}");
  add("https://example.com/books/:id");
  EXPECT_THAT(matches({"https://example.com/books/1"}),
              UnorderedElementsAre("https://example.com/books/{id}", "https://example.com{/kind}/1",
                                   "{+any}/1", "https://example.com/books/:id"));
  EXPECT_THAT(matches({"https://example.com/books/"}),
              ElementsAre("https://example.com/books/{id}"));
  EXPECT_THAT(matches({"books/1"}), UnorderedElementsAre("books/{id}", "{+any}/1"));
  EXPECT_THAT(matches({"chat-7"}), ElementsAre("chat-{room}"));
  EXPECT_THAT(matches({"http://[bad/1"}), ElementsAre("{+any}/1"));
  EXPECT_THAT(matches({"x", "books/1", "books/2"}), UnorderedElementsAre("books/{id}", "{+any}/1"));
}

TEST_F(PatternIndexTest, does_not_look_at_templates_that_begin_otherwise) {
  for (int i = 0; i < 100; ++i) {
    add_template("https://example.com/users/" + std::to_string(i) + "/{what}");
    add_template("https://" + std::to_string(i) + ".example.com/users/{id}");
  }
  EXPECT_THAT(matches({"https://example.com/users/"}), IsEmpty());
  EXPECT_THAT(matches({"https://other.example/users/42/x"}), IsEmpty());
  EXPECT_EQ(index_.candidates(), 0U);
  EXPECT_THAT(matches({"https://example.com/users/42/x"}),
              ElementsAre("https://example.com/users/42/{what}"));
  EXPECT_THAT(matches({"https://7.example.com/users/42"}),
              ElementsAre("https://7.example.com/users/{id}"));
  EXPECT_EQ(index_.candidates(), 2U);
}

TEST_F(PatternIndexTest, finds_templates_of_more_segments_than_it_looks_at) {
  const std::string long_path = "https://example.com/a/b/c/d/e/f/g/h/i/j/";
  add_template(long_path + "{id}");
  add_template("//////////////////{id}");
  EXPECT_THAT(matches({long_path + "1"}), ElementsAre(long_path + "{id}"));
  EXPECT_THAT(matches({"//////////////////1"}), ElementsAre("//////////////////{id}"));
}

TEST_F(PatternIndexTest, forgets_what_is_removed) {
  add("/books/:id");
  add("/books/*");
  index_.remove(index_.entry(kept_[0]));
  EXPECT_EQ(index_.size(), 1U);
  EXPECT_THAT(matches({"/books/1"}), ElementsAre("/books/*"));
  index_.remove(index_.entry(kept_[1]));
  EXPECT_EQ(index_.size(), 0U);
  EXPECT_THAT(matches({"/books/1"}), IsEmpty());
  add_template("/books/{id}");
  EXPECT_THAT(matches({"/books/1"}), ElementsAre("/books/{id}"));
  index_.remove(index_.entry(kept_[2]));
  EXPECT_THAT(matches({"/books/1"}), IsEmpty());
}

}  // namespace
}  // namespace vrelo::fanout
