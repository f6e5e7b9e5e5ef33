// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <utility>
#include <vector>

#include "hub/log/log.h"

namespace vrelo::log::memory {

// A page that is being filled; it goes up to `end` if there is room for all that is added.
class PageFilling {
 public:
  PageFilling(ReadLimits limits, Position end)
      : limits_(limits), page_{.records = {}, .next = end} {}

  // Adds `record`. False: there was no room for it, and the page ends before it.
  bool add(const RecordPtr& record) {
    bytes_ += text_bytes(record->event);
    std::vector<RecordPtr>& records = page_.records;
    if (!records.empty() && (records.size() >= limits_.records_max || bytes_ > limits_.bytes_max)) {
      page_.next = records.back()->position;
      return false;
    }
    records.push_back(record);
    return true;
  }

  Page take() { return std::move(page_); }

 private:
  const ReadLimits limits_;
  Page page_;
  std::size_t bytes_ = 0;  // of the page's events
};

}  // namespace vrelo::log::memory
