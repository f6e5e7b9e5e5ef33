// SPDX-License-Identifier: Apache-2.0
//
// Properties: no input crashes the parser or passes its limits; how the input is cut into pieces
// changes nothing; what is given out obeys the grammar that other code relies on.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "hub/http/request_parser.h"

namespace vrelo::http {
namespace {

void require(bool holds) {
  if (!holds) {
    std::abort();
  }
}

// Small enough that the fuzzer reaches them.
constexpr RequestLimits kLimits{.head_bytes_max = 256, .fields_max = 8, .body_bytes_max = 64};

// A request that owns its text, written out.
using Seen = std::vector<std::string>;

void check_request(const Request& request) {
  require(!request.path.empty() && (request.path[0] == '/' || request.path == "*"));
  require(request.body.size() <= kLimits.body_bytes_max);
  require(request.fields.size() <= kLimits.fields_max);
  require(request.minor_version == 0 || !request.host.empty());
  require(request.count("Host") <= 1 && request.count("Content-Length") <= 1);
  for (const Field& field : request.fields) {
    require(!field.name.empty());
    require(field.value.find_first_of(std::string_view("\0\r\n", 3)) == std::string_view::npos);
  }
}

void note(const Request& request, Seen& seen) {
  seen.emplace_back(request.method_name);
  seen.emplace_back(request.path);
  seen.emplace_back(request.query);
  seen.emplace_back(request.host);
  seen.push_back(request.keep_alive ? "keep" : "close");
  for (const Field& field : request.fields) {
    seen.emplace_back(field.name);
    seen.emplace_back(field.value);
  }
  seen.emplace_back(request.body);
}

Seen parse(std::string_view stream, std::size_t piece_bytes) {
  RequestParser parser(kLimits);
  Seen seen;
  for (std::size_t at = 0; at < stream.size(); at += piece_bytes) {
    parser.feed(stream.substr(at, piece_bytes));
    for (;;) {
      const auto progress = parser.next();
      if (progress == RequestParser::Progress::kRequest) {
        check_request(parser.request());
        note(parser.request(), seen);
      } else if (progress == RequestParser::Progress::kRefused) {
        seen.push_back(std::to_string(parser.problem().status));
        seen.emplace_back(parser.problem().title);
        return seen;
      } else if (progress == RequestParser::Progress::kNeedMore) {
        break;
      }
    }
  }
  return seen;
}

}  // namespace
}  // namespace vrelo::http

// The first byte chooses the size of the pieces, the rest is the stream.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* input, std::size_t size) {
  using namespace vrelo::http;
  if (size > 0) {
    const std::string_view bytes(reinterpret_cast<const char*>(input), size);
    const std::string_view stream = bytes.substr(1);
    const Seen whole = parse(stream, stream.size() + 1);
    require(whole == parse(stream, std::size_t{input[0]} + 1));
    require(whole == parse(stream, 1));
  }
  return 0;
}
