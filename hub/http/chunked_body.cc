// SPDX-License-Identifier: Apache-2.0
#include "hub/http/chunked_body.h"

#include <algorithm>

#include "hub/base/hex.h"

namespace vrelo::http {
namespace {

constexpr std::size_t kSizeDigitsMax = 16;

bool is_control(char byte) {
  return (static_cast<unsigned char>(byte) < 0x20 && byte != '\t') || byte == 0x7f;
}

}  // namespace

ChunkedBody::State ChunkedBody::feed(std::string_view bytes,
                                     std::string& body,
                                     std::size_t& taken) {
  State state = State::kNeedMore;
  for (taken = 0; taken < bytes.size() && state == State::kNeedMore;) {
    if (at_ == At::kData) {
      const auto piece =
          static_cast<std::size_t>(std::min<std::uint64_t>(chunk_left_, bytes.size() - taken));
      body.append(bytes, taken, piece);
      taken += piece;
      chunk_left_ -= piece;
      at_ = chunk_left_ == 0 ? At::kDataCr : At::kData;
    } else {
      state = read_byte(bytes[taken++], body.size());
    }
  }
  return state;
}

ChunkedBody::State ChunkedBody::read_byte(char byte, std::size_t body_bytes) {
  switch (at_) {
    case At::kSize:
      return read_size(byte);
    case At::kExtension:
      if (byte == '\r') {
        at_ = At::kSizeLf;
        return State::kNeedMore;
      }
      return is_control(byte) || ++line_bytes_ > limits_.line_bytes_max ? State::kMalformed
                                                                        : State::kNeedMore;
    case At::kSizeLf:
      return byte == '\n' ? end_size_line(body_bytes) : State::kMalformed;
    case At::kDataCr:
      at_ = At::kDataLf;
      return byte == '\r' ? State::kNeedMore : State::kMalformed;
    case At::kDataLf:
      at_ = At::kSize;
      return byte == '\n' ? State::kNeedMore : State::kMalformed;
    case At::kTrailer:
    case At::kTrailerLf:
      return read_trailer(byte);
    case At::kData:
    case At::kEnd:
      break;
  }
  return State::kMalformed;
}

ChunkedBody::State ChunkedBody::read_size(char byte) {
  if (const int digit = base::hex_value(byte); digit >= 0) {
    chunk_left_ = chunk_left_ * 16 + static_cast<std::uint64_t>(digit);
    ++line_bytes_;
    return ++size_digits_ > kSizeDigitsMax ? State::kMalformed : State::kNeedMore;
  }
  if (size_digits_ == 0 || (byte != ';' && byte != '\r')) {
    return State::kMalformed;
  }
  at_ = byte == ';' ? At::kExtension : At::kSizeLf;
  return State::kNeedMore;
}

ChunkedBody::State ChunkedBody::end_size_line(std::size_t body_bytes) {
  size_digits_ = 0;
  line_bytes_ = 0;
  if (chunk_left_ > limits_.body_bytes_max - body_bytes) {
    return State::kTooLarge;
  }
  at_ = chunk_left_ == 0 ? At::kTrailer : At::kData;
  return State::kNeedMore;
}

ChunkedBody::State ChunkedBody::read_trailer(char byte) {
  if (++trailer_bytes_ > limits_.trailer_bytes_max) {
    return State::kMalformed;
  }
  if (at_ == At::kTrailerLf) {
    const bool is_empty_line = line_bytes_ == 0;
    line_bytes_ = 0;
    at_ = is_empty_line ? At::kEnd : At::kTrailer;
    if (byte != '\n') {
      return State::kMalformed;
    }
    return is_empty_line ? State::kDone : State::kNeedMore;
  }
  if (byte == '\r') {
    at_ = At::kTrailerLf;
    return State::kNeedMore;
  }
  ++line_bytes_;
  return is_control(byte) ? State::kMalformed : State::kNeedMore;
}

}  // namespace vrelo::http
