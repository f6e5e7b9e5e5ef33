// SPDX-License-Identifier: Apache-2.0
#include "sse/client/chunks.h"

#include <algorithm>
#include <optional>

namespace vrelo::sse::client {
namespace {

constexpr std::size_t kSizeDigitsMax = 15;  // no file is larger, and no number overflows
constexpr std::size_t kIgnoredBytesMax = std::size_t{1} << 14;

std::optional<std::uint64_t> hex_value(char byte) {
  if (byte >= '0' && byte <= '9') {
    return static_cast<std::uint64_t>(byte - '0');
  }
  const char lower = static_cast<char>(byte | 0x20);
  if (lower >= 'a' && lower <= 'f') {
    return static_cast<std::uint64_t>(lower - 'a') + 10;
  }
  return std::nullopt;
}

}  // namespace

Result<std::size_t> Chunks::feed(std::string_view bytes, std::string& body) {
  std::size_t taken = 0;
  while (taken < bytes.size() && at_ != At::kDone && at_ != At::kFailed) {
    if (at_ == At::kData) {
      const auto piece =
          static_cast<std::size_t>(std::min<std::uint64_t>(chunk_left_, bytes.size() - taken));
      body.append(bytes, taken, piece);
      taken += piece;
      chunk_left_ -= piece;
      at_ = chunk_left_ == 0 ? At::kAfterData : At::kData;
    } else {
      read_byte(bytes[taken++]);
    }
  }
  if (at_ == At::kFailed) {
    return Errc::kNotHttp;
  }
  return taken;
}

// A CR is passed over wherever a line ends: what matters is the LF.
void Chunks::read_byte(char byte) {
  switch (at_) {
    case At::kSize:
      read_size(byte);
      break;
    case At::kAfterSize:
      if (byte == '\n') {
        end_size();
      } else if (++ignored_bytes_ > kIgnoredBytesMax) {
        at_ = At::kFailed;
      }
      break;
    case At::kAfterData:
      if (byte != '\r') {
        at_ = byte == '\n' ? At::kSize : At::kFailed;
      }
      break;
    case At::kTrailer:
      if (++ignored_bytes_ > kIgnoredBytesMax) {
        at_ = At::kFailed;
      } else if (byte == '\n') {
        at_ = line_bytes_ == 0 ? At::kDone : At::kTrailer;
        line_bytes_ = 0;
      } else if (byte != '\r') {
        ++line_bytes_;
      }
      break;
    case At::kData:
    case At::kDone:
    case At::kFailed:
      break;
  }
}

void Chunks::read_size(char byte) {
  if (const auto digit = hex_value(byte)) {
    chunk_left_ = chunk_left_ * 16 + *digit;
    at_ = ++size_digits_ > kSizeDigitsMax ? At::kFailed : At::kSize;
  } else if (size_digits_ == 0) {
    at_ = At::kFailed;
  } else if (byte == '\n') {
    end_size();
  } else {
    at_ = byte == ';' || byte == '\r' || byte == ' ' || byte == '\t' ? At::kAfterSize : At::kFailed;
  }
}

void Chunks::end_size() {
  size_digits_ = 0;
  ignored_bytes_ = 0;
  at_ = chunk_left_ == 0 ? At::kTrailer : At::kData;
}

}  // namespace vrelo::sse::client
