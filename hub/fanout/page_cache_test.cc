// SPDX-License-Identifier: Apache-2.0
#include "hub/fanout/page_cache.h"

#include <gtest/gtest.h>

namespace vrelo::fanout {
namespace {

log::Position at(std::uint64_t offset) {
  return {.epoch = 1, .offset = offset};
}

EncodedPagePtr page(std::string topic,
                    std::uint64_t after,
                    std::uint64_t next,
                    std::size_t bytes = 1) {
  const log::Record record{.position = at(next),
                           .stored_at = {},
                           .event = {.topics = {topic}, .data = std::string(bytes, 'x')}};
  return std::make_shared<const EncodedPage>(
      EncodedPage{.selection = {.all = false, .topics = {topic}},
                  .after = at(after),
                  .next = at(next),
                  .records = {encode({1, 2}, record)}});
}

log::Selection only(std::string topic) {
  return {.all = false, .topics = {std::move(topic)}};
}

TEST(PageCache, finds_the_page_in_which_a_reader_goes_on) {
  PageCache pages(1 << 20);
  const auto first = page("a", 0, 10);
  const auto second = page("a", 10, 20);
  pages.add(first);
  pages.add(second);
  EXPECT_EQ(pages.find(only("a"), at(0)), first);
  EXPECT_EQ(pages.find(only("a"), at(9)), first);
  EXPECT_EQ(pages.find(only("a"), at(10)), second);
  EXPECT_EQ(pages.find(only("a"), at(20)), nullptr);
  EXPECT_EQ(pages.find(only("b"), at(0)), nullptr);
  EXPECT_EQ(pages.find({.all = true}, at(0)), nullptr);
  EXPECT_EQ(pages.find(only("a"), {.epoch = 2, .offset = 0}), nullptr);
}

TEST(PageCache, lets_go_of_what_was_not_used_for_the_longest_time) {
  PageCache pages(3000);
  pages.add(page("a", 0, 10, 1000));
  pages.add(page("b", 0, 10, 1000));
  pages.find(only("a"), at(0));
  pages.add(page("c", 0, 10, 1000));
  EXPECT_NE(pages.find(only("a"), at(0)), nullptr);
  EXPECT_EQ(pages.find(only("b"), at(0)), nullptr);
  EXPECT_NE(pages.find(only("c"), at(0)), nullptr);
}

EncodedPagePtr empty_page(std::string topic) {
  return std::make_shared<const EncodedPage>(
      EncodedPage{.selection = only(std::move(topic)), .after = at(0), .next = at(10)});
}

TEST(PageCache, counts_the_names_of_topics) {
  PageCache pages(20'000);
  const std::string first(10'000, 'a');
  const std::string second(10'000, 'b');
  pages.add(empty_page(first));
  pages.add(empty_page(second));
  EXPECT_EQ(pages.find(only(first), at(0)), nullptr);
  EXPECT_NE(pages.find(only(second), at(0)), nullptr);
}

TEST(PageCache, holds_so_few_pages_that_they_are_soon_looked_through) {
  PageCache pages(std::size_t{1} << 30);
  for (std::size_t i = 0; i <= PageCache::kPagesMax; ++i) {
    pages.add(empty_page(std::to_string(i)));
  }
  EXPECT_EQ(pages.find(only("0"), at(0)), nullptr);
  EXPECT_NE(pages.find(only("1"), at(0)), nullptr);
}

TEST(PageCache, keeps_the_newest_page_however_large) {
  PageCache pages(100);
  pages.add(page("a", 0, 10, 1000));
  EXPECT_NE(pages.find(only("a"), at(0)), nullptr);
}

}  // namespace
}  // namespace vrelo::fanout
