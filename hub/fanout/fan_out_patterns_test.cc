// SPDX-License-Identifier: Apache-2.0
//
// Streams that select topics by patterns.
#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "hub/base/topic_patterns.h"
#include "hub/fanout/shard_testing.h"

namespace vrelo::fanout {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class FanOutPatterns : public ::testing::Test {
 protected:
  log::Selection selection(const std::vector<std::string>& patterns,
                           std::vector<std::string> topics = {}) {
    log::Selection selection{.topics = std::move(topics)};
    for (const std::string& text : patterns) {
      selection.patterns.push_back(patterns_.url_pattern(text));
    }
    return selection;
  }

  log::Selection template_selection(const std::string& text) {
    return {.topics = {text}, .patterns = {patterns_.uri_template(text)}};
  }

  base::TopicPatterns patterns_{base::UrlBase::make("https://hub.example.com/.well-known/mercure")};
};

TEST_F(FanOutPatterns, get_each_event_that_a_pattern_or_a_topic_selects_once) {
  TestShard shard;
  shard.open(5, {.selection = selection({"/books/:id"})});
  shard.open(6, {.selection = selection({"/books/:id", "/books/*"}, {"/books/1", "other"})});
  shard.publish({"/books/1"}, "one");
  shard.run();
  shard.publish({"/books/1/pages"}, "two");
  shard.publish({"other"}, "three");
  shard.publish({"/authors/1", "/books/2"}, "four");
  shard.publish({"/authors/1"}, "five");
  shard.run();
  EXPECT_THAT(shard.data(5), ElementsAre("one", "four"));
  EXPECT_THAT(shard.data(6), ElementsAre("one", "two", "three", "four"));
}

TEST_F(FanOutPatterns, of_0x_select_topics_that_are_no_urls_too) {
  for (const std::size_t window_bytes : {std::size_t{1} << 20, std::size_t{1}}) {
    SCOPED_TRACE(window_bytes);
    TestShard shard(window_bytes);
    shard.open(5, {.selection = template_selection("http://[bad/{id}")});
    const char* const topics[] = {"http://[bad/1", "http://[bad/{id}", "http://[bad/1/2", "other"};
    for (const char* const topic : topics) {
      shard.publish({topic}, topic);
    }
    shard.run();
    shard.open(6,
               {.selection = template_selection("http://[bad/{id}"), .after = shard.log.begin()});
    shard.run();
    EXPECT_THAT(shard.data(5), ElementsAre("http://[bad/1", "http://[bad/{id}"));
    EXPECT_EQ(shard.data(6), shard.data(5));
  }
}

TEST_F(FanOutPatterns, are_compared_with_few_records_at_once_where_they_are_many) {
  TestShard shard;
  for (int i = 0; i < 300; ++i) {
    shard.publish({"/0/a"}, "x");
  }
  shard.run();
  std::vector<std::string> patterns;
  for (int i = 0; i < 100; ++i) {
    patterns.push_back("/" + std::to_string(i) + "/:id");
  }
  shard.open(5, {.selection = selection(patterns), .after = shard.log.begin()});
  shard.run();
  EXPECT_THAT(shard.data(5), SizeIs(300));
  EXPECT_GE(shard.sockets.at(5).writes, 60U);
}

TEST_F(FanOutPatterns, are_read_from_window_and_storage_as_live) {
  for (const std::size_t window_bytes : {std::size_t{1} << 20, std::size_t{1}}) {
    SCOPED_TRACE(window_bytes);
    TestShard shard(window_bytes);
    std::vector<std::string> expected;
    for (int i = 0; i < 300; ++i) {
      const bool wanted = i % 3 == 0;
      shard.publish({wanted ? "/books/" + std::to_string(i) : "/authors/1"}, std::to_string(i));
      if (wanted) {
        expected.push_back(std::to_string(i));
      }
    }
    shard.publish({"other"}, "300");
    expected.emplace_back("300");
    shard.run();
    shard.open(5, {.selection = selection({"/books/:id"}, {"other"}), .after = shard.log.begin()});
    shard.run();
    shard.publish({"/books/1"}, "301");
    expected.emplace_back("301");
    shard.run();
    EXPECT_EQ(shard.data(5), expected);
    EXPECT_EQ(shard.fan_out().stats().storage_reads > 0, window_bytes == 1);
  }
}

TEST_F(FanOutPatterns, share_pages_of_history_whatever_their_order) {
  TestShard shard(1);
  for (int i = 0; i < 100; ++i) {
    shard.publish({"/books/" + std::to_string(i)}, "x");
  }
  shard.run();
  shard.log.held = true;
  shard.open(5, {.selection = selection({"/books/:id", "/books/*"}), .after = shard.log.begin()});
  shard.open(6, {.selection = selection({"/books/*", "/books/:id"}), .after = shard.log.begin()});
  shard.run();
  shard.log.release();
  shard.run();
  EXPECT_EQ(shard.data(5).size(), 100U);
  EXPECT_EQ(shard.data(6).size(), 100U);
  EXPECT_EQ(shard.fan_out().stats().storage_reads, 1U);
}

TEST_F(FanOutPatterns, get_a_private_event_only_with_a_grant_for_it) {
  TestShard shard;
  const auto grant = std::make_shared<const auth::Grant>(
      auth::Grant{.publish = {}, .read_private = {.listed = {"/books/1"}}});
  shard.open(5, {.selection = selection({"/books/:id"})});
  shard.open(6, {.selection = selection({"/books/:id"}), .grant = grant});
  shard.publish({"/books/1"}, "one", true);
  shard.publish({"/books/2"}, "two", true);
  shard.run();
  EXPECT_THAT(shard.data(5), IsEmpty());
  EXPECT_THAT(shard.data(6), ElementsAre("one"));
}

// Matches everything, and keeps what it was asked about.
class Recording final : public base::TopicPattern {
 public:
  explicit Recording(std::vector<const base::AskedTopic*>& asked)
      : TopicPattern("recording"), asked_(asked) {}
  bool matches(base::AskedTopic& topic) const override {
    asked_.push_back(&topic);
    return true;
  }

 private:
  std::vector<const base::AskedTopic*>& asked_;
};

TEST_F(FanOutPatterns, of_grants_are_all_asked_about_one_topic_so_that_it_is_parsed_once) {
  std::vector<const base::AskedTopic*> asked;
  TestShard shard;
  for (int fd = 5; fd < 10; ++fd) {
    const auto grant = std::make_shared<const auth::Grant>(
        auth::Grant{.read_private = {.patterns = {std::make_shared<const Recording>(asked)}}});
    shard.open(fd, {.grant = grant});
  }
  shard.run();
  shard.publish({"a"}, "one", true);
  shard.run();
  ASSERT_EQ(asked.size(), 5U);
  EXPECT_EQ(std::count(asked.begin(), asked.end(), asked[0]), 5);
  EXPECT_THAT(shard.data(9), ElementsAre("one"));
}

TEST_F(FanOutPatterns, wake_no_more_for_a_stream_that_has_gone) {
  TestShard shard;
  shard.open(5, {.selection = selection({"/books/:id"})});
  shard.open(6, {.selection = selection({"/books/:id", "/authors/*"})});
  shard.run();
  shard.fan_out().on_gone(5);
  shard.publish({"/books/1"}, "one");
  shard.run();
  EXPECT_THAT(shard.data(6), ElementsAre("one"));
  shard.fan_out().on_gone(6);
  const auto woken = shard.fan_out().stats().wakes;
  shard.publish({"/books/1"}, "two");
  shard.run();
  EXPECT_EQ(shard.fan_out().stats().wakes, woken);
}

TEST_F(FanOutPatterns, are_told_of_a_gap_whatever_retention_removed) {
  TestShard shard(1);
  const log::Position first = shard.publish({"other"}, "one");
  shard.publish({"other"}, "two");
  shard.publish({"/books/1"}, "three");
  shard.run();
  shard.log.remove_to(2);
  shard.open(5, {.selection = selection({"/books/:id"}), .after = first});
  shard.run();
  EXPECT_THAT(shard.data(5), ElementsAre("three"));
  EXPECT_EQ(shard.fan_out().stats().gaps, 1U);
}

}  // namespace
}  // namespace vrelo::fanout
