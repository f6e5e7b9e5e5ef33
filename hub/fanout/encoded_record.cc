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

void append_pieces(std::string_view block,
                   std::string_view tail,
                   std::size_t sent,
                   std::vector<iovec>& pieces) {
  if (!tail.empty()) {
    assert(block.ends_with(kBlockEnd));
    block.remove_suffix(kBlockEnd.size());
  }
  for (std::string_view piece : {block, tail}) {
    const std::size_t skipped = std::min(sent, piece.size());
    piece.remove_prefix(skipped);
    sent -= skipped;
    if (!piece.empty()) {
      // sendmsg() reads only, but iovec has no const.
      pieces.push_back({.iov_base = const_cast<char*>(piece.data()), .iov_len = piece.size()});
    }
  }
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
