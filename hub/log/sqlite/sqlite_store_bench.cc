// SPDX-License-Identifier: Apache-2.0
//
// What the log costs by itself: publishers who each wait for their answer, readers of one topic
// among many, and a start. The disk sets the pace of the first.
#include <cassert>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include <benchmark/benchmark.h>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>

#include "hub/base/clock.h"
#include "hub/log/sqlite/sqlite_store.h"

namespace vrelo::log::sqlite {
namespace {

// A log in a folder of its own, with one shard.
class BenchLog {
 public:
  BenchLog() {
    std::string path = std::filesystem::temp_directory_path() / "vrelo_log_XXXXXX";
    [[maybe_unused]] const char* const made = ::mkdtemp(path.data());
    assert(made != nullptr);
    folder_ = path;
    open();
  }
  BenchLog(const BenchLog&) = delete;
  BenchLog& operator=(const BenchLog&) = delete;
  ~BenchLog() {
    close();
    std::filesystem::remove_all(folder_);
  }

  void open() {
    store_ = SqliteStore::open({.file = folder_ / "log.db"}, clock_).value();
    log_ = store_->log(loop_.get_executor());
  }

  void close() {
    log_->stop();
    run();
    log_.reset();
    store_.reset();
  }

  void run() {
    loop_.restart();
    loop_.run();
  }

  // Appends `count` events of `topics` topics from `publishers` publishers.
  enum class Ids { kNone, kRandom };
  void publish(std::int64_t count, std::int64_t publishers, std::int64_t topics, Ids ids) {
    left_ = count;
    for (std::int64_t i = 0; i < publishers; ++i) {
      boost::asio::co_spawn(loop_, publish_some(topics, ids), boost::asio::detached);
    }
    run();
  }

  std::size_t read(Selection selection) {
    std::size_t records = 0;
    boost::asio::co_spawn(loop_, log_->read(log_->begin(), std::move(selection), {}),
                          [&records](const std::exception_ptr&, boost::system::result<Page> page) {
                            records = page.value().records.size();
                          });
    run();
    return records;
  }

 private:
  base::Task<void> publish_some(std::int64_t topics, Ids ids) {
    while (left_ > 0) {
      --left_;
      const auto topic = std::uniform_int_distribution<std::int64_t>(1, topics)(random_);
      Event event{.topics = {"https://example.com/topics/" + std::to_string(topic)},
                  .data = std::string(128, 'd')};
      if (ids == Ids::kRandom) {
        event.id = std::to_string(random_()) + std::to_string(random_());
      }
      (co_await log_->append(std::move(event))).value();
    }
  }

  std::filesystem::path folder_;
  base::SystemClock clock_;
  boost::asio::io_context loop_{1};
  std::unique_ptr<SqliteStore> store_;
  std::unique_ptr<Log> log_;
  std::mt19937_64 random_{1};
  std::int64_t left_ = 0;
};

// Arguments: publishers; topics; whether events have ids.
void publish(benchmark::State& state) {
  BenchLog log;
  const std::int64_t batch = state.range(0) * 16;
  for (auto _ : state) {
    log.publish(batch, state.range(0), state.range(1),
                state.range(2) != 0 ? BenchLog::Ids::kRandom : BenchLog::Ids::kNone);
  }
  state.SetItemsProcessed(state.iterations() * batch);
}
BENCHMARK(publish)
    ->Args({8, 1, 0})
    ->Args({64, 1, 0})
    ->Args({64, 50'000, 0})
    ->Args({64, 50'000, 1})
    ->Args({1024, 50'000, 1})
    ->UseRealTime();

constexpr std::int64_t kHistory = 20'000;

// Argument: times kHistory records, of which 200 have the topic.
void read_a_topic(benchmark::State& state) {
  BenchLog log;
  const std::int64_t others = kHistory * state.range(0) / 200;
  for (int i = 0; i < 200; ++i) {
    log.publish(others - 1, 1024, 50'000, BenchLog::Ids::kNone);
    log.publish(1, 1, 1, BenchLog::Ids::kNone);
  }
  const Selection selection{.topics = {"https://example.com/topics/1"}};
  std::size_t records = 0;
  for (auto _ : state) {
    records = log.read(selection);
  }
  state.counters["records"] = static_cast<double>(records);
}
BENCHMARK(read_a_topic)->Arg(1)->UseRealTime();

void start(benchmark::State& state) {
  BenchLog log;
  log.publish(kHistory * state.range(0), 1024, 50'000, BenchLog::Ids::kRandom);
  for (auto _ : state) {
    log.close();
    log.open();
  }
}
BENCHMARK(start)->Arg(1)->UseRealTime();

}  // namespace
}  // namespace vrelo::log::sqlite
