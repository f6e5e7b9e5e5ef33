// SPDX-License-Identifier: Apache-2.0
//
// What fan-out costs beside the system calls, and what an idle stream weighs in it. The sockets
// take everything and do nothing.
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <malloc.h>

#include <benchmark/benchmark.h>
#include <fmt/format.h>
#include <boost/asio/io_context.hpp>

#include "hub/auth/topic_patterns.h"
#include "hub/base/clock.h"
#include "hub/base/topic_patterns.h"
#include "hub/fanout/fan_out.h"
#include "hub/fanout/fan_out_testing.h"

namespace vrelo::fanout {
namespace {

class NoSockets final : public net::StreamSockets {
 public:
  net::Sent send(int, std::string_view bytes) override { return {.bytes = bytes.size()}; }
  net::Sent send(int, std::span<const iovec> pieces) override {
    std::size_t sum = 0;
    for (const iovec& piece : pieces) {
      sum += piece.iov_len;
    }
    return {.bytes = sum};
  }
  void want_writable(int, bool) override {}
  net::Peer peer(int) const override { return {}; }
  bool adopt(int) override { return true; }
  void close(int) override {}
};

class NoAlarm final : public net::Alarm {
 public:
  explicit NoAlarm(std::function<void()> on_ring) : on_ring_(std::move(on_ring)) {}
  void set(base::Clock::Steady) override { is_set_ = true; }
  void cancel() override { is_set_ = false; }
  bool is_set_ = false;
  std::function<void()> on_ring_;
};

struct BenchShard {
  BenchShard()
      : window({1, 2}, std::size_t{64} << 20, 1, [this](std::size_t) { fan_out->wake(); }) {
    const auto make_alarm = [this](std::function<void()> on_ring) {
      auto alarm = std::make_unique<NoAlarm>(std::move(on_ring));
      alarms.push_back(alarm.get());
      return alarm;
    };
    fan_out = std::make_unique<FanOut>(FanOutParts{.window = window,
                                                   .shard = 0,
                                                   .log = log,
                                                   .sockets = sockets,
                                                   .clock = clock,
                                                   .make_alarm = make_alarm,
                                                   .executor = loop.get_executor(),
                                                   .seed = 1},
                                       FanOutLimits{});
    window.reset({.epoch = 7, .offset = 0});
    run();
  }
  ~BenchShard() {
    run();
    fan_out = nullptr;
  }

  // What is to be done, without the pause between rounds.
  void run() {
    loop.restart();
    while (loop.poll() > 0) {
      loop.restart();
    }
    if (alarms.front()->is_set_) {
      alarms.front()->is_set_ = false;
      alarms.front()->on_ring_();
      run();
    }
  }

  void open(int fd, std::vector<std::string> topics) {
    open_stream(fd, {.topics = std::move(topics)});
  }

  void open_pattern(int fd, std::string_view pattern) {
    open_stream(fd, {.patterns = {patterns.url_pattern(pattern)}});
  }

  void open_template(int fd, std::string_view text) {
    open_stream(fd, {.patterns = {patterns.uri_template(text)}});
  }

  void open_stream(int fd, const log::Selection& selection) {
    Membership membership = fan_out->enter(selection, grant);
    fan_out->open(fd, std::move(membership), window.end(), Hello::kQuiet, "head\n\n");
  }

  void append(std::string topic, bool is_private = false) {
    const log::RecordPtr record = std::make_shared<const log::Record>(
        log::Record{.position = {.epoch = 7, .offset = ++offset},
                    .stored_at = {},
                    .event = {.topics = {std::move(topic)},
                              .data = std::string(100, 'x'),
                              .is_private = is_private}});
    window.append(std::span(&record, 1));
    run();
  }

  std::vector<NoAlarm*> alarms;
  base::SystemClock clock;
  boost::asio::io_context loop{1};
  NoSockets sockets;
  FakeLog log{loop.get_executor()};
  Window window;
  std::unique_ptr<FanOut> fan_out;
  base::TopicPatterns patterns{base::UrlBase::make("https://hub.example.com/.well-known/mercure")};
  auth::GrantPtr grant = std::make_shared<const auth::Grant>();
  std::uint64_t offset = 0;
};

// Arguments: streams of the event's topic; other topics, each with a stream.
void deliver(benchmark::State& state) {
  BenchShard shard;
  int fd = 100;
  for (std::int64_t i = 0; i < state.range(0); ++i) {
    shard.open(fd++, {"topic"});
  }
  for (std::int64_t i = 0; i < state.range(1); ++i) {
    shard.open(fd++, {"other/" + std::to_string(i)});
  }
  for (auto _ : state) {
    shard.append("topic");
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(deliver)
    ->Args({1, 0})
    ->Args({1000, 0})
    ->Args({5000, 0})
    ->Args({1000, 10'000})
    ->Args({1000, 100'000});

// Argument: streams of one pattern that matches the event's topic.
void deliver_to_pattern(benchmark::State& state) {
  BenchShard shard;
  for (std::int64_t i = 0; i < state.range(0); ++i) {
    shard.open_pattern(static_cast<int>(100 + i), "https://example.com/books/:id");
  }
  for (auto _ : state) {
    shard.append("https://example.com/books/1");
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(deliver_to_pattern)->Arg(1)->Arg(1000)->Arg(5000);

// Distinct patterns, each with a stream, of which one matches the event's topic. `pattern` makes
// the one of a number.
using Open = void (BenchShard::*)(int fd, std::string_view pattern);
template <typename Pattern>
void deliver_among_patterns(benchmark::State& state,
                            Pattern pattern,
                            Open open = &BenchShard::open_pattern) {
  BenchShard shard;
  const std::size_t before = mallinfo2().uordblks + mallinfo2().hblkhd;
  for (std::int64_t i = 0; i < state.range(0); ++i) {
    (shard.*open)(static_cast<int>(100 + i), pattern(std::to_string(i)));
  }
  shard.append("https://example.com/users/42/orders/1");
  const std::size_t bytes = mallinfo2().uordblks + mallinfo2().hblkhd - before;
  for (auto _ : state) {
    shard.append("https://example.com/users/42/orders/1");
  }
  state.counters["bytes_per_stream"] =
      static_cast<double>(bytes) / static_cast<double>(state.range(0));
}
void deliver_among_hosts(benchmark::State& state) {
  deliver_among_patterns(state, [](const std::string& i) {
    return i == "42" ? "https://example.com/users/42/*"
                     : "https://" + i + ".example.com/users/42/*";
  });
}
void deliver_among_paths(benchmark::State& state) {
  deliver_among_patterns(
      state, [](const std::string& i) { return "https://example.com/users/" + i + "/*"; });
}
void deliver_among_any(benchmark::State& state) {
  deliver_among_patterns(
      state, [](const std::string& i) { return "https://example.com/:kind/" + i + "/orders/*"; });
}
void deliver_among_regexes(benchmark::State& state) {
  deliver_among_patterns(state, [](const std::string& i) {
    return "https://example.com/:kind/(" + i + "|" + i + "x)/:what/*";
  });
}
void deliver_among_templates(benchmark::State& state) {
  deliver_among_patterns(
      state, [](const std::string& i) { return "https://example.com/users/" + i + "/{+what}"; },
      &BenchShard::open_template);
}
void deliver_among_open_templates(benchmark::State& state) {
  deliver_among_patterns(
      state,
      [](const std::string& i) { return "https://example.com/{kind}/" + i + "/orders/{id}"; },
      &BenchShard::open_template);
}
BENCHMARK(deliver_among_hosts)->Arg(5000)->Unit(benchmark::kMicrosecond);
BENCHMARK(deliver_among_paths)->Arg(5000)->Unit(benchmark::kMicrosecond);
BENCHMARK(deliver_among_any)->Arg(5000)->Unit(benchmark::kMicrosecond);
BENCHMARK(deliver_among_regexes)->Arg(5000)->Unit(benchmark::kMicrosecond);
BENCHMARK(deliver_among_templates)->Arg(5000)->Unit(benchmark::kMicrosecond);
BENCHMARK(deliver_among_open_templates)->Arg(5000)->Unit(benchmark::kMicrosecond);

// Argument: streams of one topic, each with a grant of its own that has a pattern, of which one
// lets a private event through.
void deliver_private(benchmark::State& state) {
  BenchShard shard;
  const auth::CompilePattern compile = auth::pattern_compiler(shard.patterns);
  for (std::int64_t i = 0; i < state.range(0); ++i) {
    const auto pattern = compile({.kind = auth::TopicMatcher::Kind::kUrlPattern,
                                  .text = fmt::format("https://example.com/users/{}/*", i)});
    shard.grant =
        std::make_shared<const auth::Grant>(auth::Grant{.read_private = {.patterns = {pattern}}});
    shard.open(static_cast<int>(100 + i), {"https://example.com/users/42/orders"});
  }
  for (auto _ : state) {
    shard.append("https://example.com/users/42/orders", true);
  }
}
BENCHMARK(deliver_private)->Arg(5000)->Unit(benchmark::kMicrosecond);

// Arguments: own topics of 40 bytes per stream; 0: one topic that all share.
void idle_stream_bytes(benchmark::State& state) {
  constexpr int kStreams = 10'000;
  for (auto _ : state) {
    BenchShard shard;
    const std::size_t before = mallinfo2().uordblks + mallinfo2().hblkhd;
    for (int i = 0; i < kStreams; ++i) {
      std::vector<std::string> topics;
      for (std::int64_t n = 0; n < state.range(0); ++n) {
        std::string topic = "https://example.com/" + std::to_string(i) + "/" + std::to_string(n);
        topic.resize(40, '-');
        topics.push_back(std::move(topic));
      }
      shard.open(100 + i, topics.empty() ? std::vector<std::string>{"topic"} : topics);
    }
    shard.run();
    state.counters["bytes_per_stream"] =
        static_cast<double>(mallinfo2().uordblks + mallinfo2().hblkhd - before) / kStreams;
  }
}
BENCHMARK(idle_stream_bytes)->Arg(0)->Arg(1)->Arg(3)->Iterations(1);

}  // namespace
}  // namespace vrelo::fanout
