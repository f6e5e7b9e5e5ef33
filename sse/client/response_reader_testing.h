// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cassert>
#include <cstddef>
#include <string_view>

#include "sse/client/response_reader.h"

namespace vrelo::sse::client {

struct ReadAnswer {
  boost::system::error_code error;
  std::size_t taken = 0;
};

// Feeds `bytes` to `reader` in pieces, the last one perhaps shorter, until it wants no more.
inline ReadAnswer read_in_pieces(ResponseReader& reader,
                                 std::string_view bytes,
                                 std::size_t piece_bytes) {
  assert(piece_bytes > 0);
  ReadAnswer read;
  while (read.taken < bytes.size() && !reader.is_done()) {
    const auto taken = reader.feed(bytes.substr(read.taken, piece_bytes));
    if (!taken) {
      read.error = taken.error();
      return read;
    }
    read.taken += *taken;
  }
  return read;
}

}  // namespace vrelo::sse::client
