// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <unistd.h>

#include <cstdlib>
#include <exception>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include "hub/base/clock_testing.h"
#include "hub/log/sqlite/sqlite_store.h"

namespace vrelo::log::sqlite {

// A folder of a test's own, removed with all that is in it. In memory where the system has such a
// place: a sync then costs nothing.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    constexpr const char* kInMemory = "/dev/shm/";
    std::string path =
        ::access(kInMemory, R_OK | W_OK | X_OK) == 0 ? kInMemory : ::testing::TempDir();
    path += "vrelo_log_XXXXXX";
    EXPECT_NE(::mkdtemp(path.data()), nullptr);
    path_ = path;
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  ~TemporaryFolder() { std::filesystem::remove_all(path_); }

  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

// A store with one shard, whose loop runs while the test waits for something.
class OpenStore {
 public:
  OpenStore(SqliteOptions options, const base::Clock& clock)
      : store_(SqliteStore::open(std::move(options), clock).value()),
        log_(store_->log(loop_.get_executor())) {}
  OpenStore(const OpenStore&) = delete;
  OpenStore& operator=(const OpenStore&) = delete;
  ~OpenStore() {
    log_->stop();
    loop_.restart();
    loop_.run();
    store_->close();
  }

  SqliteStore& store() { return *store_; }
  Log& log() { return *log_; }
  boost::asio::io_context& loop() { return loop_; }

  template <typename T>
  T wait(base::Task<T> task) {
    std::optional<T> result;
    boost::asio::co_spawn(loop_, std::move(task), [&](const std::exception_ptr& error, T given) {
      ASSERT_EQ(error, nullptr);
      result.emplace(std::move(given));
    });
    turn_until([&] { return result.has_value(); });
    return std::move(*result);
  }

  boost::system::result<Appended> append(Event event) {
    return wait(log_->append(std::move(event)));
  }

  // Appends events in one go, and returns once all of them are stored.
  std::vector<boost::system::result<Appended>> append_all(std::vector<Event> events) {
    std::vector<boost::system::result<Appended>> results(events.size(), Errc::kUnavailable);
    std::size_t done = 0;
    for (std::size_t i = 0; i < events.size(); ++i) {
      boost::asio::co_spawn(
          loop_, log_->append(std::move(events[i])),
          [&, i](const std::exception_ptr& error, boost::system::result<Appended> result) {
            ASSERT_EQ(error, nullptr);
            results[i] = result;
            ++done;
          });
    }
    turn_until([&] { return done == results.size(); });
    return results;
  }

  boost::system::result<Page> read(std::uint64_t after,
                                   Selection selection,
                                   ReadLimits limits = {}) {
    return wait(
        log_->read({.epoch = log_->end().epoch, .offset = after}, std::move(selection), limits));
  }

 private:
  // Something else may stay pending.
  template <typename Done>
  void turn_until(Done done) {
    while (!done()) {
      loop_.restart();
      loop_.run_one();
    }
  }

  boost::asio::io_context loop_{1};
  std::unique_ptr<SqliteStore> store_;
  std::unique_ptr<Log> log_;
};

// The data of each record, to compare with.
inline std::vector<std::string> data_of(const std::vector<RecordPtr>& records) {
  std::vector<std::string> data;
  data.reserve(records.size());
  for (const RecordPtr& record : records) {
    data.push_back(record->event.data);
  }
  return data;
}

}  // namespace vrelo::log::sqlite
