// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "sse/client/chunks.h"
#include "sse/client/errc.h"

namespace vrelo::sse::client {

// What a client needs to know of an answer before its body.
struct ResponseHead {
  int status = 0;
  std::string content_type = {};  // as it came; "": none
  std::string location = {};      // "": none
  std::optional<std::chrono::seconds> retry_after = {};
  bool is_compressed = false;  // a Content-Encoding, which nobody asked for
  bool keeps_alive = false;    // whether the connection may carry another answer
};

// Reads one answer to a GET or POST, of any framing: a length, chunks, or up to the end of the
// connection. Interim answers (status 1xx) that come before it are passed over.
//
// Invariant: what comes out depends on the bytes, never on how they are cut into pieces.
// Source: RFC 9112. A Transfer-Encoding other than "chunked" is refused.
class ResponseReader {
 public:
  static constexpr std::size_t kHeadBytesMax = std::size_t{1} << 16;

  // Reads on. Returns how many of `bytes` were taken: all of them until is_done().
  //
  // Errors: kNotHttp, kHeadTooBig. There is no use in going on after them.
  Result<std::size_t> feed(std::string_view bytes);

  // The connection has ended. Errors: kCut, unless that is how the answer was to end.
  Result<void> end();

  // nullptr until the whole head is there.
  const ResponseHead* head() const { return head_ ? &*head_ : nullptr; }

  bool is_done() const { return is_done_; }

  // What has come of the body. It has no limit: the caller takes things out, or stops.
  std::string& body() { return body_; }

 private:
  enum class Framing { kLength, kChunks, kToEnd };

  Result<std::size_t> feed_head(std::string_view bytes);
  Result<void> read_head();
  Result<std::size_t> feed_body(std::string_view bytes);

  std::string head_bytes_;
  std::size_t interims_ = 0;
  std::optional<ResponseHead> head_;

  Framing framing_ = Framing::kToEnd;
  std::uint64_t length_left_ = 0;
  Chunks chunks_;
  std::string body_;
  bool is_done_ = false;
};

}  // namespace vrelo::sse::client
