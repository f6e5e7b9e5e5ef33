// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "hub/http/chunked_body.h"
#include "hub/http/problem.h"
#include "hub/http/request.h"

namespace vrelo::http {

struct RequestLimits {
  std::size_t head_bytes_max = std::size_t{1} << 14;  // request line, fields and the empty line
  std::size_t fields_max = 100;
  std::size_t body_bytes_max = std::size_t{1} << 20;
};

// Reads the requests of one connection from its bytes, one after the other, without any I/O.
//
//   parser.feed(bytes);
//   while (parser.next() == RequestParser::Progress::kRequest) { act on parser.request(); }
//
// What stands on the line is Beast's parser; before and after it, this class checks what Beast 1.81
// lets pass and what makes two servers disagree about where a request ends.
//
// Invariant: what comes out depends on the bytes, never on how they are cut into pieces.
// Lifetime: a request's views are valid until the next call of feed() or next().
// Threads: one at a time.
// Cost: linear in the input; the bytes are copied once, those of the head twice. No allocation once
// the buffers have grown, and what a request needed beyond 16 KiB is given back.
// Source: RFC 9112. Refused beyond what it demands: any Transfer-Encoding but `chunked`, also in
// front of it; both lengths at once; a repeated Content-Length, also with equal values; a line end
// without CR anywhere; an Expect that is not `100-continue` (417). One empty line before a request
// is skipped.
class RequestParser {
 public:
  enum class Progress {
    kNeedMore,  // nothing is complete: feed() more
    kContinue,  // the sender waits for "100 Continue"; request() has all but the body. Once each
    kRequest,   // request() is whole; the next call of next() goes on to the one after it
    kRefused,   // problem() says why. The connection is of no more use: answer and close it
  };

  explicit RequestParser(RequestLimits limits = {}) : limits_(limits) {}

  RequestParser(const RequestParser&) = delete;
  RequestParser& operator=(const RequestParser&) = delete;

  // Takes the next bytes of the connection, which may hold several requests or a part of one.
  void feed(std::string_view bytes);

  // Goes on as far as the bytes lead.
  Progress next();

  // After kContinue and kRequest. After kRefused it holds what was read before the fault, for the
  // log and for CORS: of a head that is too large the whole fields within the limit; and those
  // behind a target that is too long, if its line ends within eight times the limit.
  const Request& request() const { return request_; }

  // Errors: 400; 413 (body), 414 (target), 417 (Expect), 431 (head).
  const Problem& problem() const { return problem_; }

  // True if no byte of a further request is in. The other end may close here without breaking
  // anything, and a parser in this state may be replaced by a new one.
  bool idle() const {
    return state_ != State::kBody && state_ != State::kChunks && unread().empty();
  }

  // How much it keeps of what was fed, which is at most the limits and a piece that was fed.
  std::size_t held_bytes() const { return input_.size() - at_ + body_.size(); }

  // The bytes after the last request.
  std::string_view unread() const;

 private:
  enum class State { kHead, kBody, kChunks, kDone, kRefused };

  void begin();
  Progress read_head();
  bool may_begin_request(std::string_view head) const;
  std::optional<std::size_t> find_head_end();
  bool skip_target(std::size_t lf);
  void refuse_large_head(std::string_view head);
  Progress take_head(std::size_t head_bytes);
  bool read_target(std::string_view target);
  Progress read_body();
  Progress refuse(Problem problem);

  RequestLimits limits_;
  State state_ = State::kHead;

  std::string input_;        // what was fed and is not yet used up
  std::size_t at_ = 0;       // what is before it in input_ is used up
  std::size_t line_at_ = 0;  // where the current line of the head begins, from at_
  std::size_t seen_ = 0;     // up to where the head has no further line end, from at_
  bool skipped_line_ = false;
  std::size_t skipped_bytes_ = 0;  // of a target that is too long

  std::string head_;  // of the current request, whose views refer to it
  std::string body_;  // of the current request, if it came in chunks
  std::size_t body_bytes_ = 0;
  std::optional<ChunkedBody> chunks_;

  Request request_;
  Problem problem_;
};

}  // namespace vrelo::http
