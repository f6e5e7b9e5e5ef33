// SPDX-License-Identifier: Apache-2.0
#include "hub/log/memory/record_bytes.h"

#include <string>

namespace vrelo::log::memory {
namespace {

// What a record takes besides its texts, and a name in an index, with what the allocator adds:
// measured with the C library's, see memory_store_test.cc.
constexpr std::size_t kRecordBytes = 304;
constexpr std::size_t kNameBytes = 96;
constexpr std::size_t kAllocationBytes = 16;

std::size_t heap_bytes(const std::string& text) {
  static const std::size_t inside = std::string().capacity();
  return text.capacity() > inside ? text.capacity() + kAllocationBytes : 0;
}

}  // namespace

std::size_t bytes_of(const Event& event) {
  std::size_t bytes = kRecordBytes + event.topics.capacity() * sizeof(std::string) +
                      event.topics.size() * kNameBytes + heap_bytes(event.id) +
                      heap_bytes(event.type) + heap_bytes(event.data);
  for (const std::string& topic : event.topics) {
    bytes += heap_bytes(topic);
  }
  return event.id.empty() ? bytes : bytes + 2 * kNameBytes;
}

}  // namespace vrelo::log::memory
