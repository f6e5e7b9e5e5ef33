// SPDX-License-Identifier: Apache-2.0
#include "hub/fanout/round.h"

#include <cstddef>
#include <limits>
#include <memory>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace vrelo::fanout {
namespace {

constexpr log::HashKey kKey = {1, 2};

TEST(Round, serves_each_stream_once_whatever_its_turn) {
  const log::Record record{
      .position = {.epoch = 1, .offset = 1}, .stored_at = {}, .event = {.topics = {"a"}}};
  TopicIndex index(kKey);
  Group& group =
      index.enter({.all = false, .topics = {"a"}}, std::make_shared<const auth::Grant>());
  group.live = {3, 4, 5};
  for (const std::size_t turn :
       {std::size_t{0}, std::size_t{1}, std::numeric_limits<std::size_t>::max() - 1,
        std::numeric_limits<std::size_t>::max()}) {
    SCOPED_TRACE(turn);
    Round round;
    round.begin({encode(kKey, record)}, {.epoch = 1, .offset = 0}, turn);
    while (round.match_next(index)) {
    }
    std::vector<int> served;
    for (int fd = round.next_stream(); fd >= 0; fd = round.next_stream()) {
      served.push_back(fd);
    }
    EXPECT_THAT(served, testing::UnorderedElementsAre(3, 4, 5));
    round.finish([](Group&) {});
  }
  group.live.clear();
  index.leave(group);
}

}  // namespace
}  // namespace vrelo::fanout
