// SPDX-License-Identifier: Apache-2.0
#include "hub/fanout/encoded_record.h"

#include <algorithm>
#include <cassert>
#include <chrono>
#include <optional>

#include "hub/log/event_id.h"

namespace vrelo::fanout {
namespace {

constexpr std::chrono::milliseconds kRetryMin{500};
constexpr std::chrono::milliseconds kRetryMax = std::chrono::minutes(5);

}  // namespace

std::size_t hash_topic(const log::HashKey& key, std::string_view name) {
  return log::siphash(key, name);
}

std::size_t EncodedRecord::bytes() const {
  std::size_t sum =
      sizeof(EncodedRecord) + 64 + block.bytes().size();  // 64: two allocations' overhead
  for (const std::string& topic : topics) {
    sum += sizeof(std::string) + 3 * sizeof(std::size_t) + topic.size();
  }
  return sum;
}

EncodedPtr encode(const log::HashKey& key, const log::Record& record) {
  const log::Event& event = record.event;
  const std::string id = event.id.empty() ? log::event_id(record.position) : event.id;
  std::optional<std::chrono::milliseconds> retry = event.retry;
  if (retry) {
    retry = std::clamp(*retry, kRetryMin, kRetryMax);
  }
  auto block = sse::encode({.id = id, .type = event.type, .data = event.data, .retry = retry});
  assert(block.has_value());

  std::vector<std::size_t> hashes;
  hashes.reserve(event.topics.size());
  for (const std::string& topic : event.topics) {
    hashes.push_back(hash_topic(key, topic));
  }
  return std::make_shared<const EncodedRecord>(EncodedRecord{
      .position = record.position,
      .is_private = event.is_private,
      .topics = event.topics,
      .hashes = std::move(hashes),
      .block = std::move(*block),
  });
}

}  // namespace vrelo::fanout
