// SPDX-License-Identifier: Apache-2.0
#include "hub/http/request_parser.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include <benchmark/benchmark.h>
#include <boost/asio/buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>

namespace vrelo::http {
namespace {

std::string make_publish(std::size_t body_bytes) {
  return "POST /.well-known/mercure HTTP/1.1\r\nHost: 127.0.0.1:3000\r\n"
         "User-Agent: publisher/1.0\r\nAccept: */*\r\n"
         "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: " +
         std::to_string(body_bytes) + "\r\n\r\n" + std::string(body_bytes, 'x');
}

// The argument is the size of the body.
void parse(benchmark::State& state) {
  const std::string publish = make_publish(static_cast<std::size_t>(state.range(0)));
  RequestParser parser;
  for (auto _ : state) {
    parser.feed(publish);
    benchmark::DoNotOptimize(parser.next());
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(parse)->Arg(128)->Arg(1024)->Arg(65536);

// What Beast's own request_parser takes for the same bytes.
void parse_beast(benchmark::State& state) {
  const std::string publish = make_publish(static_cast<std::size_t>(state.range(0)));
  for (auto _ : state) {
    boost::beast::http::request_parser<boost::beast::http::string_body> parser;
    boost::beast::error_code error;
    parser.eager(true);
    parser.put(boost::asio::buffer(publish), error);
    benchmark::DoNotOptimize(parser.get().body().data());
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(parse_beast)->Arg(128)->Arg(1024)->Arg(65536);

}  // namespace
}  // namespace vrelo::http
