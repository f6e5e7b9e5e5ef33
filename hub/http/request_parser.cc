// SPDX-License-Identifier: Apache-2.0
#include "hub/http/request_parser.h"

#include <algorithm>
#include <cassert>
#include <utility>

#include <fmt/format.h>

#include "hub/http/head_reader.h"
#include "hub/http/token.h"

namespace vrelo::http {
namespace {

// What TLS begins with. Source: RFC 8446 5.1.
constexpr char kTlsHandshake = 22;

// Longer than any method.
constexpr std::size_t kMethodBytesMax = 32;

// How many times the limit of the head is read of a target that is too long, to get at the fields.
constexpr std::size_t kTargetFactorMax = 8;

// What a buffer may keep between two requests of a connection.
constexpr std::size_t kKeptBytesMax = std::size_t{1} << 14;

std::string at_most(std::size_t max, std::string_view what = "bytes") {
  return fmt::format("At most {} {} are allowed.", max, what);
}

bool is_decimal(std::string_view text) {
  return !text.empty() &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

// A comma would be a Host that a proxy merged of two, and user information is not for servers.
bool is_host(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char byte) {
    return is_letter_or_digit(byte) ||
           std::string_view("-._~!$&'()*+;=%:[]").find(byte) != std::string_view::npos;
  });
}

// Returns what follows "http://" or "https://", or nullopt.
std::optional<std::string_view> after_scheme(std::string_view target) {
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (iequals(target.substr(0, scheme.size()), scheme)) {
      return target.substr(scheme.size());
    }
  }
  return std::nullopt;
}

// Of the lines of a head after its first, the last of which may lack its end.
std::string_view longest_field(std::string_view head) {
  std::string_view longest;
  std::size_t at = std::min(head.find('\n'), head.size());
  while (at < head.size()) {
    const std::size_t end = std::min(head.find('\n', at + 1), head.size());
    if (end - at > longest.size()) {
      longest = head.substr(at + 1, end - at - 1);
    }
    at = end;
  }
  return field_name(longest);
}

// A large buffer would stay with an idle connection for hours.
void clear(std::string& buffer) {
  if (buffer.capacity() > kKeptBytesMax) {
    buffer = {};
  } else {
    buffer.clear();
  }
}

}  // namespace

void RequestParser::feed(std::string_view bytes) {
  if (state_ == State::kDone) {
    begin();
  }
  if (state_ == State::kRefused) {
    return;
  }
  if (at_ == input_.size()) {
    clear(input_);
  } else {
    input_.erase(0, at_);
  }
  at_ = 0;
  input_.append(bytes);
}

RequestParser::Progress RequestParser::next() {
  switch (state_) {
    case State::kDone:
      begin();
      return read_head();
    case State::kHead:
      return read_head();
    case State::kBody:
    case State::kChunks:
      return read_body();
    case State::kRefused:
      return Progress::kRefused;
  }
  return Progress::kRefused;
}

std::string_view RequestParser::unread() const {
  const std::size_t in_place = state_ == State::kDone && !chunks_ ? body_bytes_ : 0;
  return std::string_view(input_).substr(at_ + in_place);
}

// Leaves the request that was given out behind.
void RequestParser::begin() {
  at_ = input_.size() - unread().size();
  line_at_ = 0;
  seen_ = 0;
  skipped_line_ = false;
  state_ = State::kHead;
  chunks_.reset();
  body_bytes_ = 0;
  clear(body_);

  std::vector<Field> fields = std::move(request_.fields);
  fields.clear();
  request_ = {};
  request_.fields = std::move(fields);
}

RequestParser::Progress RequestParser::read_head() {
  const auto head_bytes = find_head_end();
  if (state_ == State::kRefused) {
    return Progress::kRefused;
  }
  return head_bytes ? take_head(*head_bytes) : Progress::kNeedMore;
}

// What does not begin with a method, as TLS does, may never have a line end to wait for.
bool RequestParser::may_begin_request(std::string_view head) const {
  return head.empty() || is_token_byte(head[0]) || (head[0] == '\r' && !skipped_line_);
}

// Looks at each line end once. Beast gets whole heads: its verdict must not depend on the pieces.
std::optional<std::size_t> RequestParser::find_head_end() {
  for (;;) {
    const std::string_view head = unread();
    if (line_at_ == 0 && !may_begin_request(head)) {
      refuse({.title = "malformed method",
              .detail = head[0] == kTlsHandshake ? "This port speaks HTTP without TLS." : ""});
      return std::nullopt;
    }
    const std::size_t lf = head.find('\n', seen_);
    const bool is_too_large = std::min(lf, head.size()) >= limits_.head_bytes_max;
    if (line_at_ == 0 && (is_too_large || skipped_bytes_ > 0)) {
      if (!skip_target(lf)) {
        refuse_large_head({});
      }
      if (line_at_ == 0) {
        return std::nullopt;
      }
      continue;
    }
    if (is_too_large) {
      refuse_large_head(head.substr(0, std::min(lf, limits_.head_bytes_max)));
      return std::nullopt;
    }
    if (lf == std::string_view::npos) {
      seen_ = head.size();
      return std::nullopt;
    }
    if (lf == line_at_ || head[lf - 1] != '\r') {
      const std::string_view line = head.substr(line_at_, lf - line_at_);
      refuse({.title = "line end without CR",
              .field = std::string(line_at_ > 0 ? field_name(line) : "")});
      return std::nullopt;
    }
    const bool is_empty_line = lf - 1 == line_at_;
    if (is_empty_line && line_at_ > 0) {
      if (skipped_bytes_ > 0) {
        refuse_large_head({});
      }
      return lf + 1;
    }
    if (is_empty_line) {
      skipped_line_ = true;
      at_ += lf + 1;
      seen_ = 0;
      continue;
    }
    if (line_at_ > 0 && (head[line_at_] == ' ' || head[line_at_] == '\t')) {
      const std::string_view before = head.substr(0, line_at_ - 1);
      refuse({.title = "folded line",
              .field = std::string(field_name(before.substr(before.rfind('\n') + 1)))});
      return std::nullopt;
    }
    line_at_ = lf + 1;
    seen_ = lf + 1;
  }
}

// Lets go of a target that is too long, so that the fields behind it can be read. `lf`: where its
// line ends; npos: that has not come. False: there is no method before it, or no end in sight.
bool RequestParser::skip_target(std::size_t lf) {
  constexpr std::string_view kAnyTarget = "/ HTTP/1.1\r";
  const std::string_view line = unread().substr(0, lf);
  const std::size_t target_at = line.find(' ') + 1;
  if (target_at == 0 || target_at > kMethodBytesMax) {
    return false;
  }
  skipped_bytes_ += line.size() - target_at;
  if (skipped_bytes_ > kTargetFactorMax * limits_.head_bytes_max) {
    return false;
  }
  const bool is_whole = lf != std::string_view::npos;
  input_.replace(at_ + target_at, line.size() - target_at, is_whole ? kAnyTarget : "");
  seen_ = target_at + (is_whole ? kAnyTarget.size() + 1 : 0);
  line_at_ = is_whole ? seen_ : 0;
  return true;
}

// A page may read why it is refused if its Origin has come. What is wrong with the fields does not
// matter any more. `head`: as much of it as is allowed, or less.
void RequestParser::refuse_large_head(std::string_view head) {
  const bool is_target = line_at_ == 0 || skipped_bytes_ > 0;
  if (line_at_ > 0) {
    head_.assign(input_, at_, line_at_);
    head_ += "\r\n";
    static_cast<void>(HeadReader(request_, limits_.fields_max).read(head_));
  }
  refuse({.status = is_target ? 414 : 431,
          .title = is_target ? "target too long" : "head too large",
          .field = std::string(is_target ? "" : longest_field(head)),
          .detail = at_most(limits_.head_bytes_max, "bytes up to the body")});
}

RequestParser::Progress RequestParser::take_head(std::size_t head_bytes) {
  clear(head_);
  head_.assign(input_, at_, head_bytes);
  at_ += head_bytes;

  HeadReader reader(request_, limits_.fields_max);
  if (auto problem = reader.read(head_)) {
    return refuse(*std::move(problem));
  }
  request_.keep_alive = reader.keep_alive();

  if (reader.hosts > 1 || (reader.hosts == 0 && request_.minor_version > 0) ||
      (reader.hosts == 1 && !is_host(request_.host))) {
    return refuse({.title = reader.hosts == 1   ? "malformed Host"
                            : reader.hosts == 0 ? "missing Host"
                                                : "repeated Host",
                   .field = "Host"});
  }
  if (!read_target(reader.target)) {
    return refuse({.title = "malformed target"});
  }
  if (reader.encodings > 0 && (reader.encodings > 1 || request_.minor_version == 0 ||
                               !iequals(reader.encoding, "chunked"))) {
    return refuse({.title = "unknown Transfer-Encoding", .field = std::string(kTransferEncoding)});
  }
  if (reader.lengths > 0 &&
      (reader.lengths > 1 || reader.encodings > 0 || !is_decimal(reader.length))) {
    return refuse({.title = "malformed Content-Length", .field = std::string(kContentLength)});
  }
  if (reader.content_length().value_or(0) > limits_.body_bytes_max) {
    return refuse({.status = 413,
                   .title = "body too large",
                   .field = std::string(kContentLength),
                   .detail = at_most(limits_.body_bytes_max)});
  }
  if (reader.expects_other && request_.minor_version > 0) {
    return refuse({.status = 417, .title = "unknown Expect", .field = "Expect"});
  }

  if (reader.encodings > 0) {
    chunks_.emplace(ChunkLimits{.body_bytes_max = limits_.body_bytes_max});
    state_ = State::kChunks;
  } else {
    body_bytes_ = static_cast<std::size_t>(reader.content_length().value_or(0));
    state_ = State::kBody;
  }
  const bool body_is_due = chunks_ || body_bytes_ > 0;
  const bool sender_waits =
      reader.expects_continue && request_.minor_version > 0 && body_is_due && unread().empty();
  return sender_waits ? Progress::kContinue : read_body();
}

// Source: RFC 9112 3.2. Of the four forms, that of CONNECT is refused.
bool RequestParser::read_target(std::string_view target) {
  if (target.find('#') != std::string_view::npos) {
    return false;
  }
  if (target == "*" && request_.method == Method::kOptions) {
    request_.path = target;
    return true;
  }
  if (const auto rest = after_scheme(target)) {
    const std::size_t authority_end = std::min(rest->find_first_of("/?"), rest->size());
    request_.host = rest->substr(0, authority_end);
    if (!is_host(request_.host)) {
      return false;
    }
    target = rest->substr(authority_end);
  } else if (!target.starts_with('/')) {
    return false;
  }
  const std::size_t mark = std::min(target.find('?'), target.size());
  request_.path = mark == 0 ? std::string_view("/") : target.substr(0, mark);
  request_.query = target.substr(std::min(mark + 1, target.size()));
  return true;
}

RequestParser::Progress RequestParser::read_body() {
  if (state_ == State::kBody) {
    if (unread().size() < body_bytes_) {
      return Progress::kNeedMore;
    }
    request_.body = unread().substr(0, body_bytes_);
    state_ = State::kDone;
    return Progress::kRequest;
  }

  std::size_t taken = 0;
  const auto state = chunks_->feed(unread(), body_, taken);
  at_ += taken;
  switch (state) {
    case ChunkedBody::State::kNeedMore:
      return Progress::kNeedMore;
    case ChunkedBody::State::kDone:
      request_.body = body_;
      state_ = State::kDone;
      return Progress::kRequest;
    case ChunkedBody::State::kTooLarge:
      return refuse(
          {.status = 413, .title = "body too large", .detail = at_most(limits_.body_bytes_max)});
    case ChunkedBody::State::kMalformed:
      break;
  }
  return refuse({.title = "malformed chunk", .field = std::string(kTransferEncoding)});
}

RequestParser::Progress RequestParser::refuse(Problem problem) {
  problem_ = std::move(problem);
  state_ = State::kRefused;
  request_.keep_alive = false;
  return Progress::kRefused;
}

}  // namespace vrelo::http
