// SPDX-License-Identifier: Apache-2.0
#include "hub/fanout/topic_index.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <benchmark/benchmark.h>

namespace vrelo::fanout {
namespace {

constexpr log::HashKey kKey = {1, 2};
const auth::GrantPtr kGrant = std::make_shared<const auth::Grant>();

std::string topic(std::int64_t number) {
  return "https://example.com/topics/" + std::to_string(number);
}

log::Selection select(std::int64_t number) {
  return {.topics = {topic(number)}};
}

// An index with so many topics, each of a group of its own.
class BenchIndex {
 public:
  explicit BenchIndex(std::int64_t topics) {
    for (std::int64_t i = 0; i < topics; ++i) {
      groups_.push_back(&index_.enter(select(i), kGrant));
    }
  }
  BenchIndex(const BenchIndex&) = delete;
  BenchIndex& operator=(const BenchIndex&) = delete;
  ~BenchIndex() {
    for (Group* const group : groups_) {
      index_.leave(*group);
    }
  }

  TopicIndex& operator*() { return index_; }

 private:
  TopicIndex index_{kKey};
  std::vector<Group*> groups_;
};

// What one event costs, beside so many other topics.
void find(benchmark::State& state) {
  BenchIndex index(state.range(0));
  std::vector<EncodedPtr> records;
  std::vector<base::AskedTopics> asked(1024);
  for (std::size_t i = 0; i < asked.size(); ++i) {
    // Each with a topic that is in the index and one that is not.
    const std::int64_t number = static_cast<std::int64_t>(i) * 7919 % state.range(0);
    log::Event event{.topics = {topic(number), "-"}};
    records.push_back(encode(kKey, {.position = {}, .stored_at = {}, .event = std::move(event)}));
    ask_for(*records.back(), asked[i]);
  }
  std::size_t at = 0;
  std::size_t found = 0;
  for (auto _ : state) {
    (*index).for_each_group(*records[at], asked[at], [&found](Group&, bool) { ++found; });
    at = (at + 1) % records.size();
  }
  benchmark::DoNotOptimize(found);
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(find)->ArgName("topics")->Arg(1)->Arg(1000)->Arg(100'000);

// What a stream that comes and goes costs, beside so many other topics.
void enter_and_leave(benchmark::State& state) {
  BenchIndex index(state.range(0));
  const log::Selection own = select(-1);
  for (auto _ : state) {
    (*index).leave((*index).enter(own, kGrant));
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(enter_and_leave)->ArgName("topics")->Arg(1)->Arg(100'000);

}  // namespace
}  // namespace vrelo::fanout
