// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "sse/client/errc.h"

namespace vrelo::sse::client {

// Takes a body out of the chunks that it is sent in. Extensions and trailer fields are thrown away.
//
// It is here, beside Beast, because a chunk's extensions have no limit in Beast 1.81, and the end
// of an answer that comes byte by byte fails one of its assertions.
//
// Invariant: what comes out depends on the bytes, never on how they are cut into pieces.
// Source: RFC 9112 7.1. Lines may end with LF alone, and sizes may be followed by spaces, as some
// servers have it.
class Chunks {
 public:
  // Reads on, and appends what the chunks hold to `body`. Returns how many of `bytes` were taken:
  // all of them until is_done().
  //
  // Errors: kNotHttp. There is no use in going on after it.
  Result<std::size_t> feed(std::string_view bytes, std::string& body);

  bool is_done() const { return at_ == At::kDone; }

 private:
  enum class At { kSize, kAfterSize, kData, kAfterData, kTrailer, kDone, kFailed };

  void read_byte(char byte);
  void read_size(char byte);
  void end_size();

  At at_ = At::kSize;
  std::uint64_t chunk_left_ = 0;  // bytes of the current chunk that are still to come
  std::size_t size_digits_ = 0;
  std::size_t line_bytes_ = 0;     // of the trailer's current line
  std::size_t ignored_bytes_ = 0;  // of extensions since the last data, or of the trailer
};

}  // namespace vrelo::sse::client
