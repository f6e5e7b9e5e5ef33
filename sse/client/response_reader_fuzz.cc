// SPDX-License-Identifier: Apache-2.0
//
// Properties: no answer crashes the reader or makes it hold more than came; how the bytes are cut
// into pieces changes nothing.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "sse/client/response_reader_testing.h"

namespace vrelo::sse::client {
namespace {

void require(bool holds) {
  if (!holds) {
    std::abort();
  }
}

void check(std::string_view bytes, std::size_t piece_bytes) {
  ResponseReader whole;
  const ReadAnswer read = read_in_pieces(whole, bytes, bytes.size() + 1);
  ResponseReader pieces;
  const ReadAnswer again = read_in_pieces(pieces, bytes, piece_bytes);

  require(read.error == again.error);
  require(whole.body().size() <= bytes.size());
  require((whole.head() == nullptr) == (pieces.head() == nullptr));
  if (!read.error) {
    require(read.taken == again.taken);
    require(whole.body() == pieces.body());
    require(whole.is_done() == pieces.is_done());
    require(whole.end().has_error() == pieces.end().has_error());
  }
}

}  // namespace
}  // namespace vrelo::sse::client

// The first byte chooses the size of the pieces, the rest is what the server sends.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* input, std::size_t size) {
  if (size > 0) {
    // std::uint8_t and char may alias: both are views of bytes.
    const std::string_view bytes(reinterpret_cast<const char*>(input), size);
    vrelo::sse::client::check(bytes.substr(1), std::size_t{input[0]} + 1);
  }
  return 0;
}
