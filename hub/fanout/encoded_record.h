// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <sys/uio.h>

#include "hub/log/log.h"
#include "hub/log/siphash.h"
#include "sse/encoder.h"

namespace vrelo::fanout {

// The hash of a topic, which is computed once a record and once a stream, not once a look-up. `key`
// is the window's: who publishes and who reads choose the names, and must not know which collide.
std::size_t hash_topic(const log::HashKey& key, std::string_view name);

// A topic's name beside its hash, for look-ups.
//
// Lifetime: that of the name it refers to.
struct TopicView {
  std::string_view name;
  std::size_t hash;
};

// What each block ends in: the end of the id's line, and an empty one. A stream whose ids are its
// own has something else in its place.
inline constexpr std::string_view kBlockEnd = "\n\n";

// A record as its readers get it: the block's bytes, and what decides who they are.
struct EncodedRecord {
  log::Position position;
  bool is_private;
  std::vector<std::string> topics;
  std::vector<std::size_t> hashes;  // of the topics, in their order
  sse::EncodedEvent block;

  // What it weighs in memory, about.
  std::size_t bytes() const;
};

// Appends to `pieces` what is to be sent of `block` after `sent` bytes. `tail`: what it ends in;
// "": kBlockEnd. Lifetime: the pieces are parts of both.
void append_pieces(std::string_view block,
                   std::string_view tail,
                   std::size_t sent,
                   std::vector<iovec>& pieces);

using EncodedPtr = std::shared_ptr<const EncodedRecord>;

// Encodes `record`: its id is the publisher's or made from the position, its retry is kept between
// 500 ms and 5 min (what a publisher asks for must neither flood the hub nor lose its readers).
//
// The record's id and type have no line break or NUL, as the log promises.
EncodedPtr encode(const log::HashKey& key, const log::Record& record);

}  // namespace vrelo::fanout
