// SPDX-License-Identifier: Apache-2.0
#include "hub/http/head_reader.h"

#include <algorithm>
#include <cassert>
#include <limits>
#include <string>

#include <fmt/format.h>
#include <boost/asio/buffer.hpp>

#include "hub/http/token.h"

namespace vrelo::http {
namespace {

namespace beast = boost::beast::http;

std::string_view view(boost::beast::string_view text) {
  return {text.data(), text.size()};
}

Method method_of(beast::verb verb) {
  switch (verb) {
    case beast::verb::get:
      return Method::kGet;
    case beast::verb::head:
      return Method::kHead;
    case beast::verb::post:
      return Method::kPost;
    case beast::verb::options:
      return Method::kOptions;
    default:
      return Method::kOther;
  }
}

// The line with the index `index`.
std::string_view line_of(std::string_view head, std::size_t index) {
  constexpr std::string_view kEnd = "\r\n";
  for (; index > 0 && !head.empty(); --index) {
    head.remove_prefix(std::min(head.find(kEnd), head.size()));
    head.remove_prefix(std::min(kEnd.size(), head.size()));
  }
  return head.substr(0, head.find(kEnd));
}

// `line` is the first that was not taken for a field.
Problem malformed_head(const boost::beast::error_code& error, std::string_view line) {
  if (error == beast::error::bad_method) {
    return {.title = "malformed method"};
  }
  if (error == beast::error::bad_target) {
    return {.title = "malformed target"};
  }
  if (error == beast::error::bad_version) {
    return {.title = "unknown HTTP version", .detail = "This port speaks HTTP/1.1 and HTTP/1.0."};
  }
  if (error == beast::error::bad_content_length || error == beast::error::multiple_content_length) {
    return {.title = "malformed Content-Length", .field = std::string(kContentLength)};
  }
  if (error == beast::error::bad_transfer_encoding) {
    return {.title = "unknown Transfer-Encoding", .field = std::string(kTransferEncoding)};
  }
  if (error == beast::error::bad_field || error == beast::error::bad_value ||
      error == beast::error::bad_line_ending) {
    return {.title = "malformed field", .field = std::string(field_name(line))};
  }
  return {.title = "malformed head"};
}

}  // namespace

HeadReader::HeadReader(Request& request, std::size_t fields_max)
    : request_(request), fields_max_(fields_max) {
  // The limit was kept before Beast sees the head, and the body is not its business.
  header_limit(std::numeric_limits<std::uint32_t>::max());
  skip(true);
}

std::optional<Problem> HeadReader::read(std::string_view head) {
  error_code error;
  const std::size_t taken = put(boost::asio::buffer(head.data(), head.size()), error);
  if (too_many_fields_) {
    return Problem{.status = 431,
                   .title = "too many fields",
                   .detail = fmt::format("At most {} fields are allowed.", fields_max_)};
  }
  if (error) {
    return malformed_head(error, line_of(head, 1 + request_.fields.size()));
  }
  assert(taken == head.size());
  return std::nullopt;
}

void HeadReader::on_request_impl(
    verb method, text method_name, text target_text, int version, error_code& /*error*/) {
  request_.method = method_of(method);
  request_.method_name = view(method_name);
  request_.minor_version = version - 10;
  target = view(target_text);
}

void HeadReader::on_field_impl(field known_name, text name, text value, error_code& error) {
  if (request_.fields.size() == fields_max_) {
    too_many_fields_ = true;
    error = beast::error::header_limit;
    return;
  }
  request_.fields.push_back({view(name), view(value)});
  if (known_name == field::host) {
    ++hosts;
    request_.host = view(value);
  } else if (known_name == field::content_length) {
    ++lengths;
    length = view(value);
  } else if (known_name == field::transfer_encoding) {
    ++encodings;
    encoding = view(value);
  } else if (known_name == field::expect) {
    (iequals(view(value), "100-continue") ? expects_continue : expects_other) = true;
  }
}

}  // namespace vrelo::http
