// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace vrelo::http {

struct ChunkLimits {
  std::size_t body_bytes_max = std::size_t{1} << 20;     // of all chunks together
  std::size_t line_bytes_max = 256;                      // of a chunk's size and its extensions
  std::size_t trailer_bytes_max = std::size_t{1} << 14;  // of all trailer fields
};

// Takes a body out of its chunks. Extensions and trailer fields are thrown away.
//
// It is here, beside Beast, because Beast 1.81 sets no limit to a chunk's extensions, and takes the
// fields of a trailer for fields of the head.
//
// Invariant: what comes out depends on the bytes, never on how they are cut into pieces.
// Source: RFC 9112 7.1. Stricter than the text: a size has at most 16 digits, and no white space
// around it.
class ChunkedBody {
 public:
  enum class State { kNeedMore, kDone, kMalformed, kTooLarge };

  explicit ChunkedBody(ChunkLimits limits) : limits_(limits) {}

  // Reads on, and appends what the chunks hold to `body`. `taken` is how many of `bytes` were used:
  // all of them while the state is kNeedMore.
  State feed(std::string_view bytes, std::string& body, std::size_t& taken);

 private:
  enum class At { kSize, kExtension, kSizeLf, kData, kDataCr, kDataLf, kTrailer, kTrailerLf, kEnd };

  State read_byte(char byte, std::size_t body_bytes);
  State read_size(char byte);
  State end_size_line(std::size_t body_bytes);
  State read_trailer(char byte);

  ChunkLimits limits_;
  At at_ = At::kSize;
  std::uint64_t chunk_left_ = 0;
  std::size_t size_digits_ = 0;
  std::size_t line_bytes_ = 0;  // of the current line
  std::size_t trailer_bytes_ = 0;
};

}  // namespace vrelo::http
