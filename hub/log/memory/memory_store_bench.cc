// SPDX-License-Identifier: Apache-2.0
#include "hub/log/memory/memory_store.h"

#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <string>
#include <utility>

#include <benchmark/benchmark.h>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include "hub/base/clock.h"

namespace vrelo::log::memory {
namespace {

constexpr std::int64_t kRecords = 100'000;

std::string topic(std::int64_t number) {
  return "https://example.com/topics/" + std::to_string(number);
}

class BenchLog {
 public:
  BenchLog() = default;
  BenchLog(const BenchLog&) = delete;
  BenchLog& operator=(const BenchLog&) = delete;
  ~BenchLog() {
    log_->stop();
    loop_.restart();
    loop_.run();
  }

  // Each operation completes at once; the loop is what a coroutine needs to begin.
  void append(std::int64_t topic_number) {
    Event event{.topics = {topic(topic_number)}, .data = std::string(128, 'd')};
    boost::asio::co_spawn(loop_, log_->append(std::move(event)),
                          [](const std::exception_ptr&, boost::system::result<Appended> appended) {
                            benchmark::DoNotOptimize(appended.value());
                          });
    loop_.restart();
    loop_.run();
  }

  std::size_t read(std::int64_t topic_number) {
    std::size_t records = 0;
    boost::asio::co_spawn(loop_,
                          log_->read(log_->begin(), Selection{.topics = {topic(topic_number)}}, {}),
                          [&records](const std::exception_ptr&, boost::system::result<Page> page) {
                            records = page.value().records.size();
                          });
    loop_.restart();
    loop_.run();
    return records;
  }

 private:
  base::SystemClock clock_;
  boost::asio::io_context loop_{1};
  MemoryStore store_{kRetention, clock_};
  std::unique_ptr<Log> log_ = store_.log(loop_.get_executor());
};

// Argument: topics. The log is full, so that each append removes a record too.
void append(benchmark::State& state) {
  BenchLog log;
  std::int64_t number = 0;
  for (; number < 4 * kRecords; ++number) {
    log.append(number % state.range(0));
  }
  for (auto _ : state) {
    log.append(++number % state.range(0));
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(append)->ArgName("topics")->Arg(1)->Arg(50'000);

// Argument: records of the topic, among 100,000 of others.
void read_a_topic(benchmark::State& state) {
  BenchLog log;
  const std::int64_t every = kRecords / state.range(0);
  for (std::int64_t number = 0; number < kRecords; ++number) {
    log.append(number % every == 0 ? 0 : 1 + number % 1000);
  }
  std::size_t records = 0;
  for (auto _ : state) {
    records = log.read(0);
  }
  state.counters["records"] = static_cast<double>(records);
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(records));
}
BENCHMARK(read_a_topic)->ArgName("records")->Arg(1)->Arg(200);

}  // namespace
}  // namespace vrelo::log::memory
