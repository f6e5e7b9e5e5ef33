// SPDX-License-Identifier: Apache-2.0
#include "sse/client/response_reader.h"

#include <algorithm>
#include <cassert>
#include <charconv>
#include <limits>

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/parser.hpp>

namespace vrelo::sse::client {
namespace {

namespace http = boost::beast::http;

constexpr std::size_t kInterimsMax = 16;
constexpr std::string_view kHeadEnd = "\r\n\r\n";

std::string text_of(const http::fields& fields, http::field name) {
  const auto value = fields[name];
  return {value.data(), value.size()};
}

// Source: RFC 9110 10.2.3. The other form, a date, would need the right time here and there.
std::optional<std::chrono::seconds> parse_retry_after(std::string_view text) {
  std::uint32_t seconds = 0;
  const char* const text_end = text.data() + text.size();
  const auto [end, errc] = std::from_chars(text.data(), text_end, seconds);
  if (errc != std::errc() || end != text_end) {
    return std::nullopt;
  }
  return std::chrono::seconds(seconds);
}

bool names_only(const http::fields& fields, http::field name, boost::beast::string_view value) {
  return fields.count(name) == 1 && boost::beast::iequals(fields[name], value);
}

}  // namespace

Result<std::size_t> ResponseReader::feed(std::string_view bytes) {
  std::size_t taken = 0;
  while (taken < bytes.size() && !is_done_) {
    const std::string_view rest = bytes.substr(taken);
    const auto step = head_ ? feed_body(rest) : feed_head(rest);
    if (!step) {
      return step.error();
    }
    taken += *step;
  }
  return taken;
}

Result<void> ResponseReader::end() {
  if (head_ && framing_ == Framing::kToEnd) {
    is_done_ = true;
  }
  if (!is_done_) {
    return Errc::kCut;
  }
  return {};
}

Result<std::size_t> ResponseReader::feed_head(std::string_view bytes) {
  const std::size_t known = head_bytes_.size();
  const std::string_view more = bytes.substr(0, kHeadBytesMax - known);
  head_bytes_.append(more);
  const std::size_t from = known - std::min(known, kHeadEnd.size() - 1);
  const std::size_t end = head_bytes_.find(kHeadEnd, from);
  if (end == std::string::npos) {
    if (head_bytes_.size() == kHeadBytesMax) {
      return Errc::kHeadTooBig;
    }
    return more.size();
  }
  head_bytes_.resize(end + kHeadEnd.size());
  const std::size_t taken = head_bytes_.size() - known;
  if (const auto read = read_head(); !read) {
    return read.error();
  }
  head_bytes_.clear();
  return taken;
}

Result<void> ResponseReader::read_head() {
  http::response_parser<http::empty_body> parser;
  parser.header_limit(std::numeric_limits<std::uint32_t>::max());  // kept already
  parser.skip(true);                                               // the body is not its business
  boost::beast::error_code error;
  parser.put(boost::asio::buffer(head_bytes_), error);
  if (error || !parser.is_header_done()) {
    return Errc::kNotHttp;
  }
  const auto& fields = parser.get();
  const int status = static_cast<int>(fields.result_int());
  if (status / 100 == 1) {
    // 101 would change to a protocol that nobody asked for.
    if (status == 101 || ++interims_ > kInterimsMax) {
      return Errc::kNotHttp;
    }
    return {};
  }

  if (fields.count(http::field::transfer_encoding) > 0) {
    if (!names_only(fields, http::field::transfer_encoding, "chunked")) {
      return Errc::kNotHttp;
    }
    framing_ = Framing::kChunks;
  } else if (const auto length = parser.content_length()) {
    framing_ = Framing::kLength;
    length_left_ = *length;
  }
  if (status == 204 || status == 304) {
    framing_ = Framing::kLength;
    length_left_ = 0;
  }
  is_done_ = framing_ == Framing::kLength && length_left_ == 0;
  head_ = ResponseHead{
      .status = status,
      .content_type = text_of(fields, http::field::content_type),
      .location = text_of(fields, http::field::location),
      .retry_after = parse_retry_after(text_of(fields, http::field::retry_after)),
      .is_compressed = fields.count(http::field::content_encoding) > 0 &&
                       !names_only(fields, http::field::content_encoding, "identity"),
      .keeps_alive = parser.keep_alive() && framing_ != Framing::kToEnd,
  };
  return {};
}

Result<std::size_t> ResponseReader::feed_body(std::string_view bytes) {
  switch (framing_) {
    case Framing::kChunks: {
      const auto taken = chunks_.feed(bytes, body_);
      is_done_ = chunks_.is_done();
      return taken;
    }
    case Framing::kLength: {
      const auto taken =
          static_cast<std::size_t>(std::min<std::uint64_t>(length_left_, bytes.size()));
      body_.append(bytes, 0, taken);
      length_left_ -= taken;
      is_done_ = length_left_ == 0;
      return taken;
    }
    case Framing::kToEnd:
      body_.append(bytes);
      return bytes.size();
  }
  assert(false);
  return bytes.size();
}

}  // namespace vrelo::sse::client
