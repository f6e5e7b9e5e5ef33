// SPDX-License-Identifier: Apache-2.0
//
// What fan-out promises, against streams, sockets and a log that do anything at any time.
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <map>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "hub/fanout/shard_testing.h"
#include "hub/log/event_id.h"

namespace vrelo::fanout {
namespace {

constexpr int kFdMin = 60;  // so that the descriptors lie in two pages of the table
constexpr int kFdMax = 80;

class RandomDay {
 public:
  explicit RandomDay(unsigned seed)
      : random_(seed), shard_(std::size_t{1} << below(14)), retention_(below(2) == 0) {
    shard_.log.stride = below(3) == 0 ? 3 : 1;
    if (below(2) == 0) {
      shard_.sockets.on_send = [this](int) {
        shard_.clock.advance(std::chrono::microseconds(below(400)));
      };
    }
    for (std::uint64_t i = 0; i < 4; ++i) {
      const auto some = std::vector<std::string>{topic(), topic()};
      grants_.push_back(std::make_shared<const auth::Grant>(auth::Grant{
          .publish = {},
          .read_private = {.all = i == 0, .listed = i < 3 ? some : std::vector<std::string>{}}}));
    }
  }

  void live() {
    for (int i = 0; i < 400; ++i) {
      act();
      for (std::uint64_t polls = below(4); polls > 0; --polls) {
        shard_.loop.restart();
        shard_.loop.poll_one();
      }
    }
    for (const auto& [fd, wanted] : open_) {
      shard_.give_room(fd, FakeSockets::kEndless);
    }
    shard_.advance(std::chrono::seconds(1));
    finished_ = true;
  }

  // Each open stream got what it should; one that was closed got the beginning of it.
  void check() {
    for (const auto& [fd, wanted] : open_) {
      check(fd, wanted);
    }
  }

 private:
  std::uint64_t below(std::uint64_t end) {
    return std::uniform_int_distribution<std::uint64_t>(0, end - 1)(random_);
  }
  std::string topic() { return "t" + std::to_string(below(6)); }

  void act() {
    const std::uint64_t what = below(20);
    const int fd = kFdMin + static_cast<int>(below(kFdMax - kFdMin));
    const bool is_open = open_.contains(fd) && !shard_.sockets.at(fd).closed;
    if (what < 9) {
      publish();
    } else if (what < 13) {
      if (!is_open) {
        open(fd);
      }
    } else if (what < 16) {
      if (is_open) {
        shard_.give_room(fd, below(3) == 0 ? FakeSockets::kEndless : below(300));
      }
    } else if (what < 17) {
      if (is_open && below(3) == 0) {
        check(fd, open_.at(fd));
        shard_.fan_out().on_gone(fd);
        open_.erase(fd);
      }
    } else if (what < 18) {
      shard_.clock.advance(std::chrono::milliseconds(below(8000)));
      shard_.alarms.ring_due();
    } else if (what < 19) {
      shard_.run();
    } else if (retention_ && below(3) == 0) {
      const std::uint64_t begin = shard_.log.begin().offset;
      shard_.log.remove_to(begin + below(shard_.log.end().offset - begin + 1));
    }
  }

  void publish() {
    std::vector<std::string> topics(1 + below(3));
    std::generate(topics.begin(), topics.end(), [this] { return topic(); });
    shard_.publish(topics, std::string(below(200), 'x') + std::to_string(published_.size()),
                   below(4) == 0);
    published_.push_back(shard_.log.records().back());
  }

  void open(int fd) {
    TestShard::Opened wanted;
    wanted.selection.all = below(4) == 0;
    if (!wanted.selection.all) {
      wanted.selection.topics.resize(1 + below(3));
      std::generate(wanted.selection.topics.begin(), wanted.selection.topics.end(),
                    [this] { return topic(); });
    }
    wanted.grant = grants_[below(grants_.size())];
    wanted.hello = below(2) == 0 ? Hello::kQuiet : Hello::kNamed;
    const log::Position end = shard_.log.end();
    wanted.after = end;
    if (below(2) == 0 && !published_.empty()) {
      wanted.after = published_[below(published_.size())]->position;
    }
    shard_.sockets.at(fd) = {};
    shard_.sockets.at(fd).room = below(2) == 0 ? FakeSockets::kEndless : below(300);
    open_[fd] = wanted;
    shard_.open(fd, wanted);
  }

  std::vector<log::RecordPtr> expected(const TestShard::Opened& wanted) const {
    std::vector<log::RecordPtr> expected;
    for (const log::RecordPtr& record : published_) {
      const auto& topics = record->event.topics;
      const bool selected =
          wanted.selection.all ||
          std::find_first_of(topics.begin(), topics.end(), wanted.selection.topics.begin(),
                             wanted.selection.topics.end()) != topics.end();
      const bool may =
          !record->event.is_private || wanted.grant->may_read_private(record->event.topics);
      if (*wanted.after < record->position && selected && may) {
        expected.push_back(record);
      }
    }
    return expected;
  }

  void check(int fd, const TestShard::Opened& wanted) {
    const std::vector<log::RecordPtr> records = expected(wanted);
    auto next = records.begin();
    for (const sse::SeenEvent& event : shard_.seen(fd).events) {
      const auto id = log::parse_event_id(event.last_event_id);
      ASSERT_TRUE(id) << event;
      if (event.type == "vrelo.gap") {
        ASSERT_LE(id->offset, shard_.log.begin().offset) << "a gap over what is kept";
        while (next != records.end() && !(*id < (*next)->position)) {
          ++next;
        }
      } else if (event.type == "message") {
        ASSERT_NE(next, records.end()) << "not for this stream: " << event;
        ASSERT_EQ(event.data, (*next)->event.data);
        ASSERT_EQ(*id, (*next)->position);
        ++next;
      }
    }
    if (finished_ && !shard_.sockets.at(fd).closed) {
      ASSERT_EQ(next, records.end()) << "missing: " << (*next)->event.data;
    }
  }

  std::mt19937 random_;
  TestShard shard_;
  bool retention_;
  bool finished_ = false;  // then nothing may be missing
  std::vector<auth::GrantPtr> grants_;
  std::vector<log::RecordPtr> published_;
  std::map<int, TestShard::Opened> open_;
};

TEST(FanOutRandom, each_stream_gets_what_is_for_it_once_in_order) {
  for (unsigned seed = 0; seed < 500; ++seed) {
    SCOPED_TRACE(seed);
    RandomDay day(seed);
    day.live();
    day.check();
    if (::testing::Test::HasFailure()) {
      break;
    }
  }
}

}  // namespace
}  // namespace vrelo::fanout
