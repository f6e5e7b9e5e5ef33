// SPDX-License-Identifier: Apache-2.0
//
// Properties of what is read from a run's row before its checksum is known to be right: fences that
// are taken ascend and are written as the same bytes; a filter that is taken has the same bytes,
// answers for every hash, and keeps what is added.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "hub/log/sqlite/content_filter.h"
#include "hub/log/sqlite/index_list.h"

namespace {

using vrelo::log::sqlite::ContentFilter;
using vrelo::log::sqlite::IndexEntry;

void require(bool holds) {
  if (!holds) {
    std::abort();
  }
}

void check(std::string_view bytes) {
  const auto fences = vrelo::log::sqlite::decode_fences(bytes);
  if (fences) {
    IndexEntry last;
    for (const IndexEntry& fence : *fences) {
      require(last < fence && fence.value > 0);
      last = fence;
    }
    require(vrelo::log::sqlite::encode_fences(*fences) == bytes);
  }

  auto filter = ContentFilter::from(bytes);
  if (filter) {
    require(filter->bytes() == bytes);
    const std::uint64_t hashes[] = {0, bytes.size(), ~std::uint64_t{0}};
    for (const std::uint64_t hash : hashes) {
      filter->add(hash);
      require(filter->may_have(hash));
    }
    require(filter->bytes().size() == bytes.size());
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  check(bytes);
  check(bytes.substr(size % sizeof(IndexEntry)));  // edits seldom leave whole entries
  return 0;
}
