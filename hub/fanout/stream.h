// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "hub/fanout/blocks.h"
#include "hub/fanout/topic_index.h"
#include "hub/log/log.h"

namespace vrelo::fanout {

// A stream that is not live: it goes through the log at its own pace. No queue and no copy of an
// event belongs to it; what it has not sent is found again by its cursor.
struct Reader {
  log::Position cursor;             // everything up to here is out, or is not for it
  std::size_t partial = 0;          // bytes that are out of the block of the next record for it,
  std::uint64_t partial_of = 0;     // which has this offset
  std::string own = {};             // the stream's own bytes, which go before any record's
  std::uint32_t progress_tick = 0;  // when its peer last took a byte, as far as it was noticed
  std::uint32_t acknowledged = 0;   // bytes by its peer at the last look, but for their high bits

  // Not live before the shard has got this far: what the window held when the stream came was not
  // looked at with its interest in mind.
  log::Position live_from = {};

  // What it asks the log and its pages for; nullptr while the window is enough.
  std::unique_ptr<const log::Selection> selection = nullptr;

  bool blocked = false;   // waits for its socket
  bool fetching = false;  // waits for a page of the log
  bool queued = false;    // waits for its turn
};

// One open stream.
struct Stream {
  Group* group = nullptr;                    // nullptr: the descriptor has no stream
  std::unique_ptr<Reader> reader = nullptr;  // nullptr: live
  std::uint64_t told = 0;                    // offset of the last id that was written to it
  std::uint32_t place = 0;                   // in group->live, while live
  std::uint32_t written_tick = 0;  // of its last write alone; rounds are in group->sent_tick
  std::uint32_t owing_tick = 0;    // since when its peer owes an acknowledgement, if it does
  bool owing = false;
  Hello hello = Hello::kQuiet;

  bool live() const { return reader == nullptr; }
};

// The streams of a shard, by descriptor. Descriptors are small numbers that all shards share, so
// the table comes in pages.
class StreamTable {
 public:
  // The place for `fd`, made if need be.
  Stream& make(int fd) {
    const auto page = static_cast<std::size_t>(fd) / kPage;
    if (page >= pages_.size()) {
      pages_.resize(page + 1);
    }
    if (pages_[page] == nullptr) {
      pages_[page] = std::make_unique<Page>();
    }
    return (*pages_[page])[static_cast<std::size_t>(fd) % kPage];
  }

  // nullptr: no stream has this descriptor.
  Stream* find(int fd) {
    const auto page = static_cast<std::size_t>(fd) / kPage;
    if (fd < 0 || page >= pages_.size() || pages_[page] == nullptr) {
      return nullptr;
    }
    Stream& stream = (*pages_[page])[static_cast<std::size_t>(fd) % kPage];
    return stream.group == nullptr ? nullptr : &stream;
  }

  Stream& at(int fd) {
    Stream* const stream = find(fd);
    assert(stream != nullptr);
    return *stream;
  }

  // One more than the largest descriptor that may be in use.
  int limit() const { return static_cast<int>(pages_.size() * kPage); }

 private:
  static constexpr std::size_t kPage = 64;
  using Page = std::array<Stream, kPage>;

  std::vector<std::unique_ptr<Page>> pages_;
};

}  // namespace vrelo::fanout
