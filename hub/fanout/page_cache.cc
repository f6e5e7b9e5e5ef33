// SPDX-License-Identifier: Apache-2.0
#include "hub/fanout/page_cache.h"

#include <algorithm>
#include <utility>

namespace vrelo::fanout {

EncodedPagePtr PageCache::find(const log::Selection& selection, log::Position after) {
  const auto at = std::find_if(entries_.begin(), entries_.end(), [&](const Entry& entry) {
    return entry.page->after <= after && after < entry.page->next &&
           entry.page->selection == selection;
  });
  if (at == entries_.end()) {
    return nullptr;
  }
  entries_.splice(entries_.begin(), entries_, at);
  return at->page;
}

void PageCache::add(EncodedPagePtr page) {
  std::size_t bytes = sizeof(EncodedPage);
  for (const std::string& topic : page->selection.topics) {
    bytes += sizeof(std::string) + topic.size();
  }
  bytes += page->selection.patterns.size() * sizeof(base::TopicPatternPtr);
  for (const EncodedPtr& record : page->records) {
    bytes += record->bytes();
  }
  bytes_ += bytes;
  entries_.push_front({.page = std::move(page), .bytes = bytes});
  while ((bytes_ > bytes_max_ && entries_.size() > 1) || entries_.size() > kPagesMax) {
    bytes_ -= entries_.back().bytes;
    entries_.pop_back();
  }
}

}  // namespace vrelo::fanout
