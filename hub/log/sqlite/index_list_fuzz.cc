// SPDX-License-Identifier: Apache-2.0
//
// Properties of an index block's reader: it ends, what it gives ascends, and a block that it takes
// whole is the one that a writer makes of what it gave.
#include "hub/log/sqlite/index_list.h"

#include <cassert>
#include <cstddef>
#include <cstdint>
#include <string_view>

using vrelo::log::sqlite::IndexBlockReader;
using vrelo::log::sqlite::IndexEntry;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  IndexBlockReader reader(bytes);
  vrelo::log::sqlite::IndexListWriter writer;
  IndexEntry last;
  IndexEntry entry;
  IndexBlockReader::Next next = reader.next(entry);
  for (; next == IndexBlockReader::Next::kEntry; next = reader.next(entry)) {
    assert(last < entry);
    last = entry;
    writer.add(entry);
  }
  if (next == IndexBlockReader::Next::kEnd && size <= vrelo::log::sqlite::kIndexBlockBytesMax) {
    writer.finish();
    const auto blocks = writer.take_blocks();
    assert(blocks.size() == (bytes.empty() ? 0U : 1U));
    assert(blocks.empty() || blocks.front() == bytes);
  }
  return 0;
}
