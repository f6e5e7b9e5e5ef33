// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <list>
#include <memory>
#include <vector>

#include "hub/fanout/encoded_record.h"
#include "hub/log/log.h"

namespace vrelo::fanout {

// A piece of history as log::Log::read() gave it, encoded: all that its selection wants after
// `after` and up to `next`.
struct EncodedPage {
  log::Selection selection;
  log::Position after;
  log::Position next;
  std::vector<EncodedPtr> records = {};
};

using EncodedPagePtr = std::shared_ptr<const EncodedPage>;

// The pages that were read last, within a bound in bytes, for readers who come back together: one
// of them pays for the read. A reader whose cursor lies inside a page goes on in its middle, so
// that readers with different cursors soon ask for the same pages.
//
// Threads: one, the shard's.
// Cost: linear in the pages held.
class PageCache {
 public:
  // How many pages are held at most. Most are about 256 KiB; but whoever asks for topics that have
  // nothing gets pages that take next to nothing.
  static constexpr std::size_t kPagesMax = 512;

  explicit PageCache(std::size_t bytes_max) : bytes_max_(bytes_max) {}

  // Returns the page of `selection` in which a reader at `after` goes on, or nullptr.
  EncodedPagePtr find(const log::Selection& selection, log::Position after);

  // Keeps `page` and lets go of those that were not used for the longest time, never of `page`
  // itself.
  void add(EncodedPagePtr page);

  void set_bytes_max(std::size_t bytes_max) { bytes_max_ = bytes_max; }

 private:
  struct Entry {
    EncodedPagePtr page;
    std::size_t bytes;
  };

  std::size_t bytes_max_;
  std::size_t bytes_ = 0;
  std::list<Entry> entries_;  // most recently used first
};

}  // namespace vrelo::fanout
