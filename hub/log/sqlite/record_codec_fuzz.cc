// SPDX-License-Identifier: Apache-2.0
//
// Properties: bytes that decode are those that the event is written as, so that no event has two
// forms; what decodes has a topic.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "hub/log/sqlite/record_codec.h"

namespace {

void require(bool holds) {
  if (!holds) {
    std::abort();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* input, std::size_t size) {
  const std::string bytes(reinterpret_cast<const char*>(input), size);
  const auto event = vrelo::log::sqlite::decode_event(bytes);
  if (event) {
    require(!event->topics.empty());
    std::string again;
    vrelo::log::sqlite::encode_event(*event, again);
    require(again == bytes);
  }
  return 0;
}
