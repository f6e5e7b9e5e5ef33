// SPDX-License-Identifier: Apache-2.0
//
// What the log costs by itself: publishers who each wait for their answer, readers of one topic
// among many, and a start. The disk sets the pace of the first. What begins with `long` makes a big
// log first: script/long log runs it.
#include <algorithm>
#include <cassert>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include <malloc.h>

#include <benchmark/benchmark.h>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>

#include "hub/base/clock.h"
#include "hub/base/sqlite/connection.h"
#include "hub/log/sqlite/sqlite_store.h"

namespace vrelo::log::sqlite {
namespace {

// A log in a folder of its own, with one shard.
const std::string kOwnTopic = "https://example.com/own";

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
    SqliteOptions options{.file = file()};
    options.retention = {.bytes_max = 0, .age_max = std::chrono::seconds(0)};
    store_ = SqliteStore::open(std::move(options), clock_).value();
    log_ = store_->log(loop_.get_executor());
  }

  void close() {
    log_->stop();
    run();
    log_.reset();
    store_.reset();
  }

  std::string file() const { return folder_ / "log.db"; }
  SqliteStore& store() { return *store_; }
  Log& log() { return *log_; }

  void run() {
    loop_.restart();
    loop_.run();
  }

  // Appends `count` events of `topics` topics from `publishers` publishers.
  enum class Ids { kNone, kRandom };
  void publish(std::int64_t count, std::int64_t publishers, std::int64_t topics, Ids ids) {
    publish_while(publishers, topics, ids, [left = count]() mutable { return left-- > 0; });
  }

  // The same, and while `more` says so. Returns how long each publisher waited for each answer.
  std::vector<double> publish_while(std::int64_t publishers,
                                    std::int64_t topics,
                                    Ids ids,
                                    std::function<bool()> more) {
    more_ = std::move(more);
    waited_s_.clear();
    for (std::int64_t i = 0; i < publishers; ++i) {
      boost::asio::co_spawn(loop_, publish_some(topics, ids), boost::asio::detached);
    }
    run();
    return std::move(waited_s_);
  }

  // Appends an event of a topic that no other publisher has.
  void publish_own() {
    boost::asio::co_spawn(loop_, append_own(), boost::asio::detached);
    run();
  }

  // Closes the log and opens it again. Returns how many bytes the open log has on the heap.
  std::size_t start_again(const std::function<void()>& closed, const std::function<void()>& open) {
    close();
    ::malloc_trim(0);
    const std::size_t before = mallinfo2().uordblks + mallinfo2().hblkhd;
    closed();
    this->open();
    open();
    return mallinfo2().uordblks + mallinfo2().hblkhd - before;
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
  base::Task<void> append_own() {
    Event event{.topics = {kOwnTopic}, .data = std::string(128, 'd')};
    (co_await log_->append(std::move(event))).value();
  }

  base::Task<void> publish_some(std::int64_t topics, Ids ids) {
    while (more_()) {
      const auto topic = std::uniform_int_distribution<std::int64_t>(1, topics)(random_);
      Event event{.topics = {"https://example.com/topics/" + std::to_string(topic)},
                  .data = std::string(128, 'd')};
      if (ids == Ids::kRandom) {
        event.id = std::to_string(random_()) + std::to_string(random_());
      }
      const base::Clock::Steady asked_at = clock_.steady();
      (co_await log_->append(std::move(event))).value();
      waited_s_.push_back(std::chrono::duration<double>(clock_.steady() - asked_at).count());
    }
  }

  std::filesystem::path folder_;
  base::SystemClock clock_;
  boost::asio::io_context loop_{1};
  std::unique_ptr<SqliteStore> store_;
  std::unique_ptr<Log> log_;
  std::mt19937_64 random_{1};
  std::function<bool()> more_;
  std::vector<double> waited_s_;
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

// Fills a log with records of many topics, of which 200 are of one.
constexpr std::int64_t kOwn = 200;
void fill(BenchLog& log, std::int64_t others) {
  for (std::int64_t i = 0; i < kOwn; ++i) {
    log.publish(others / kOwn, 1024, 50'000, BenchLog::Ids::kRandom);
    log.publish_own();
  }
}

// Argument: records of other topics.
void read_a_topic(benchmark::State& state) {
  BenchLog log;
  fill(log, state.range(0));
  const Selection selection{.topics = {kOwnTopic}};
  const std::uint64_t before = log.store().stats().rows_visited;
  std::size_t records = 0;
  for (auto _ : state) {
    records = log.read(selection);
  }
  state.counters["records"] = static_cast<double>(records);
  state.counters["rows_visited"] = static_cast<double>(log.store().stats().rows_visited - before) /
                                   static_cast<double>(state.iterations());
  base::Clock::Steady began;
  base::Clock::Steady ended;
  const std::size_t heap = log.start_again([&] { began = base::SystemClock().steady(); },
                                           [&] { ended = base::SystemClock().steady(); });
  state.counters["start_ms"] = 1000 * std::chrono::duration<double>(ended - began).count();
  state.counters["heap_bytes"] = static_cast<double>(heap);
}
BENCHMARK(read_a_topic)->Arg(10'000)->UseRealTime();
BENCHMARK(read_a_topic)
    ->Name("long_read_a_topic")
    ->Arg(100'000)
    ->Arg(1'000'000)
    ->Arg(10'000'000)
    ->Iterations(20)
    ->UseRealTime();

// Argument: records in the log.
void start(benchmark::State& state) {
  BenchLog log;
  log.publish(state.range(0), 1024, 50'000, BenchLog::Ids::kRandom);
  for (auto _ : state) {
    state.PauseTiming();
    log.start_again([&] { state.ResumeTiming(); }, [&] { state.PauseTiming(); });
    state.ResumeTiming();
  }
}
BENCHMARK(start)->Arg(10'000)->UseRealTime();

double percentile_ms(const std::vector<double>& sorted_s, std::size_t percent) {
  return 1000 * sorted_s[std::min(sorted_s.size() * percent / 100, sorted_s.size() - 1)];
}

// Arguments: records that are removed; publishers meanwhile. What they wait for without a removal
// is measured first, because the disk may be slow by itself.
void publish_while_removing(benchmark::State& state) {
  BenchLog log;
  const auto removed = static_cast<std::uint64_t>(state.range(0));
  log.publish(state.range(0), 1024, 50'000, BenchLog::Ids::kRandom);
  const std::int64_t rounds = state.range(0) / 500;  // removing takes about as many commits
  std::vector<double> alone_s =
      log.publish_while(state.range(1), 50'000, BenchLog::Ids::kRandom,
                        [left = rounds * state.range(1)]() mutable { return left-- > 0; });
  auto file = base::sqlite::Connection::open(log.file(), {}).value();
  // Until the rows are gone too, but for two chunks that may not be written yet.
  const auto more = [&, published = 0]() mutable {
    return ++published % 64 != 0 || log.log().begin().offset < removed ||
           static_cast<std::uint64_t>(file.integer("SELECT min(offset) FROM records").value()) +
                   200'000 <
               removed;
  };
  std::vector<double> waited_s;
  for (auto _ : state) {
    log.store().set_retention(
        {.bytes_max = 0, .records_max = 1000, .age_max = std::chrono::seconds(0)});
    waited_s = log.publish_while(state.range(1), 50'000, BenchLog::Ids::kRandom, more);
  }
  std::sort(alone_s.begin(), alone_s.end());
  std::sort(waited_s.begin(), waited_s.end());
  state.SetItemsProcessed(static_cast<std::int64_t>(waited_s.size()));
  state.counters["alone_p99_ms"] = percentile_ms(alone_s, 99);
  state.counters["alone_most_ms"] = percentile_ms(alone_s, 100);
  state.counters["p50_ms"] = percentile_ms(waited_s, 50);
  state.counters["p99_ms"] = percentile_ms(waited_s, 99);
  state.counters["most_ms"] = percentile_ms(waited_s, 100);
}
BENCHMARK(publish_while_removing)->Args({10'000, 8})->Iterations(1)->UseRealTime();
BENCHMARK(publish_while_removing)
    ->Name("long_publish_while_removing")
    ->Args({1'000'000, 1})
    ->Args({1'000'000, 8})
    ->Args({1'000'000, 64})
    ->Iterations(1)
    ->UseRealTime();

}  // namespace
}  // namespace vrelo::log::sqlite
