// SPDX-License-Identifier: Apache-2.0
//
// A process is killed while it publishes, removes history and keeps the index.
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "hub/log/sqlite/sqlite_store_testing.h"

namespace vrelo::log::sqlite {
namespace {

constexpr std::uint64_t kKept = 300;

class SqliteKillTest : public ::testing::Test {
 protected:
  std::unique_ptr<OpenStore> open() {
    SqliteOptions options{.file = folder_.path() / "log.db", .retention = {.records_max = kKept}};
    options.chunk_limits.records_max = 20;
    options.removed_topics_max = 64;
    options.wal_bytes_soft = 1 << 16;
    return std::make_unique<OpenStore>(std::move(options), clock_);
  }

  static Event event(std::uint64_t number) {
    Event event{.topics = {fmt::format("t{}", number % 7)}, .data = fmt::to_string(number)};
    if (number % 3 == 0) {
      event.id = fmt::format("id {}", number);
      event.topics.push_back(event.id);
    }
    return event;
  }

  // Publishes for ever, and writes to `out` up to where each batch was acknowledged.
  [[noreturn]] void publish(int out) {
    const auto store = open();
    while (true) {
      const std::uint64_t end = store->log().end().offset;
      std::vector<Event> events;
      for (std::uint64_t number = end + 1; number <= end + 40; ++number) {
        events.push_back(event(number));
      }
      for (const auto& result : store->append_all(events)) {
        const std::uint64_t offset = result.value().position.offset;
        if (::write(out, &offset, sizeof(offset)) != sizeof(offset)) {
          ::_exit(1);
        }
      }
    }
  }

  // Kills a process that publishes after so many acknowledgements. Returns the last of them.
  std::uint64_t kill_after(int acknowledged_max) {
    int ends[2] = {};
    EXPECT_EQ(::pipe(ends), 0);
    const pid_t child = ::fork();
    if (child == 0) {
      ::close(ends[0]);
      publish(ends[1]);
    }
    ::close(ends[1]);
    std::uint64_t acknowledged = 0;
    for (int i = 0; i < acknowledged_max; ++i) {
      EXPECT_EQ(::read(ends[0], &acknowledged, sizeof(acknowledged)),
                static_cast<ssize_t>(sizeof(acknowledged)));
    }
    ::kill(child, SIGKILL);
    ::close(ends[0]);
    int status = 0;
    EXPECT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_TRUE(WIFSIGNALED(status));
    return acknowledged;
  }

  TemporaryFolder folder_;
  base::ManualClock clock_;
};

TEST_F(SqliteKillTest, leaves_all_that_was_acknowledged_and_an_index_that_agrees) {
  for (int round = 0; round < 12; ++round) {
    SCOPED_TRACE(round);
    const std::uint64_t acknowledged = kill_after(200 + 47 * round);
    const auto store = open();
    const std::uint64_t begin = store->log().begin().offset;
    const std::uint64_t end = store->log().end().offset;
    ASSERT_GE(end, acknowledged);
    std::map<std::string, std::vector<std::string>> expected;
    for (std::uint64_t number = begin + 1; number <= end; ++number) {
      for (const std::string& topic : event(number).topics) {
        expected[topic].push_back(fmt::to_string(number));
      }
    }
    const Page all = store->read(begin, {.all = true}, {.records_max = 10'000}).value();
    ASSERT_EQ(all.records.size(), end - begin);
    for (const RecordPtr& record : all.records) {
      ASSERT_EQ(record->event, event(record->position.offset));
      if (!record->event.id.empty()) {
        ASSERT_EQ(store->wait(store->log().find(record->event.id)).value(), record->position);
      }
    }
    for (const auto& [topic, data] : expected) {
      ASSERT_EQ(data_of(store->read(begin, {.topics = {topic}}).value().records), data) << topic;
    }
    ASSERT_FALSE(store->append(event(end - end % 3)).value().is_new);
  }
}

}  // namespace
}  // namespace vrelo::log::sqlite
