// SPDX-License-Identifier: Apache-2.0
//
// Properties: a cursor that is read as a position is the very id which that position has; each
// position has an id, of visible ASCII within its limit, that is read as this position, and nothing
// near it is.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>

#include "hub/log/event_id.h"

namespace {

using vrelo::log::Position;

void require(bool holds) {
  if (!holds) {
    std::abort();
  }
}

void check_text(std::string_view text) {
  if (const auto position = vrelo::log::parse_event_id(text)) {
    require(vrelo::log::event_id(*position) == text);
  }
}

void check_position(Position position) {
  const std::string id = vrelo::log::event_id(position);
  require(id.size() <= vrelo::log::kEventIdBytesMax);
  require(std::all_of(id.begin(), id.end(), [](char c) { return c > ' ' && c < 0x7f; }));
  require(vrelo::log::parse_event_id(id) == position);

  for (std::size_t at = 0; at < id.size(); ++at) {
    std::string other = id;
    other[at] = other[at] == '0' ? '1' : '0';
    const auto parsed = vrelo::log::parse_event_id(other);
    require(!parsed || *parsed != position);
  }
  require(!vrelo::log::parse_event_id(id + " "));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* input, std::size_t size) {
  check_text({reinterpret_cast<const char*>(input), size});
  Position position;
  if (size >= sizeof position.epoch + sizeof position.offset) {
    std::memcpy(&position.epoch, input, sizeof position.epoch);
    std::memcpy(&position.offset, input + sizeof position.epoch, sizeof position.offset);
    check_position(position);
  }
  return 0;
}
