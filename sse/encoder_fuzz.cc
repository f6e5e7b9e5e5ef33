// SPDX-License-Identifier: Apache-2.0
//
// Properties: a block is refused for the line breaks and the NUL that encoder.h names, and for
// nothing else; any other comes back from a decoder as it was, with LF for each line end of its
// data; and of a block nothing but its id is left for the next.

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sse/decoder_testing.h"
#include "sse/encoder.h"

namespace vrelo::sse {
namespace {

void require(bool holds) {
  if (!holds) {
    std::abort();
  }
}

// The first byte tells which fields there are, the next four are the delay, the rest is the type,
// the id and the data, with a byte between them that no UTF-8 has.
constexpr std::size_t kTextsAt = 5;
constexpr char kSeparator = '\xFF';

Block read_block(std::string_view input) {
  std::array<std::string_view, 3> texts = {};
  std::string_view rest = input.substr(kTextsAt);
  for (std::string_view& text : texts) {
    text = rest.substr(0, rest.find(kSeparator));
    rest.remove_prefix(std::min(text.size() + 1, rest.size()));
  }
  std::uint32_t retry = 0;
  for (std::size_t i = 1; i < kTextsAt; ++i) {
    retry = retry << 8 | static_cast<unsigned char>(input[i]);
  }
  Block block{.type = texts[0]};
  if ((input[0] & 1) != 0) {
    block.id = texts[1];
  }
  if ((input[0] & 2) != 0) {
    block.data = texts[2];
  }
  if ((input[0] & 4) != 0) {
    block.retry = std::chrono::milliseconds(retry);
  }
  return block;
}

std::string with_lf(std::string_view data) {
  std::string text;
  for (std::size_t i = 0; i < data.size(); ++i) {
    const bool belongs_to_cr = data[i] == '\n' && i > 0 && data[i - 1] == '\r';
    if (!belongs_to_cr) {
      text.push_back(data[i] == '\r' ? '\n' : data[i]);
    }
  }
  return text;
}

std::optional<Errc> fault(const Block& block) {
  const std::string_view id = block.id.value_or("");
  if (id.find_first_of("\r\n") != std::string_view::npos) {
    return Errc::kIdHasLineBreak;
  }
  if (id.find('\0') != std::string_view::npos) {
    return Errc::kIdHasNul;
  }
  if (block.type.find_first_of("\r\n") != std::string_view::npos) {
    return Errc::kTypeHasLineBreak;
  }
  return std::nullopt;
}

void check(const Block& block) {
  const auto encoded = encode(block);
  const auto why = fault(block);
  require(encoded.has_error() == why.has_value());
  if (why) {
    require(encoded.error() == *why);
    return;
  }

  const std::string id(block.id.value_or(""));
  Seen wanted;
  if (block.data) {
    wanted.events.push_back(
        {block.type.empty() ? "message" : std::string(block.type), with_lf(*block.data), id});
  }
  if (block.retry) {
    wanted.retries.push_back(*block.retry);
  }
  wanted.events.push_back({"message", "next", id});
  wanted.last_event_id = id;

  std::string stream(encoded->bytes());
  require(stream.ends_with("\n\n") || stream == "\n");
  stream += "data: next\n\n";
  require(decode_whole(stream) == wanted);
  require(decode_in_chunks(stream, 1) == wanted);
}

}  // namespace
}  // namespace vrelo::sse

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* input, std::size_t size) {
  if (size >= vrelo::sse::kTextsAt) {
    // std::uint8_t and char may alias: both are views of bytes.
    vrelo::sse::check(vrelo::sse::read_block({reinterpret_cast<const char*>(input), size}));
  }
  return 0;
}
