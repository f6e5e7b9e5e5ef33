// SPDX-License-Identifier: Apache-2.0
#include "cli/ask.h"

#include <chrono>
#include <cstddef>
#include <string_view>
#include <utility>
#include <vector>

#include "sse/client/alarm.h"
#include "sse/client/errc.h"
#include "sse/client/response_reader.h"

namespace vrelo::cli {
namespace {

using boost::system::error_code;
using sse::client::Connection;
using sse::client::Errc;
using sse::client::Failure;
using sse::client::ResponseReader;
using sse::client::Task;

constexpr std::chrono::seconds kTime{30};
constexpr std::size_t kAnswerBytesMax = std::size_t{1} << 20;
constexpr std::size_t kPieceBytes = std::size_t{1} << 14;

std::string request_of(const sse::client::Url& url, const Fields& fields) {
  std::string request = "GET " + url.path + url.query +
                        " HTTP/1.1\r\nHost: " + sse::client::authority_of(url) +
                        "\r\nUser-Agent: vrelo\r\nConnection: close\r\n";
  for (const auto& [name, value] : fields) {
    request.append(name).append(": ").append(value).append("\r\n");
  }
  return request + "\r\n";
}

// Reads the answer to its end. `had_answer`: something of it has come.
Task<error_code> read_answer(Connection& connection, ResponseReader& reader, bool& had_answer) {
  std::vector<char> buffer(kPieceBytes);
  while (!reader.is_done()) {
    const auto bytes = co_await connection.read_some(buffer);
    if (!bytes) {
      co_return bytes.error();
    }
    if (*bytes == 0) {
      const auto ended = reader.end();
      co_return ended ? error_code() : ended.error();
    }
    had_answer = true;
    if (const auto taken = reader.feed(std::string_view(buffer.data(), *bytes)); !taken) {
      co_return taken.error();
    }
    if (reader.body().size() > kAnswerBytesMax) {
      co_return Errc::kAnswerTooBig;
    }
  }
  co_return error_code();
}

}  // namespace

Task<boost::system::result<std::string, Failure>> ask(const sse::client::Network& network,
                                                      sse::client::Url url,
                                                      Fields fields) {
  Connection connection(network);
  bool is_late = false;
  const auto deadline = network.make_alarm([&] {
    is_late = true;
    connection.close();
  });
  deadline->set(kTime);
  ResponseReader reader;
  Failure failure;
  failure.error = co_await connection.open(url);
  if (!failure.error) {
    const std::string request = request_of(url, fields);
    const error_code write_error = co_await connection.write(request);
    // Whoever refuses a request before it has read all of it says why, and closes.
    const error_code read_error = co_await read_answer(connection, reader, failure.had_answer);
    failure.error = write_error && read_error ? write_error : read_error;
  }
  if (failure.error) {
    failure.error = is_late ? make_error_code(Errc::kTimedOut) : failure.error;
    co_return failure;
  }
  if (reader.head()->status != 200) {
    failure.error = Errc::kRefused;
    failure.status = reader.head()->status;
    failure.content_type = reader.head()->content_type;
    failure.body = std::move(reader.body());
    co_return failure;
  }
  co_return std::move(reader.body());
}

}  // namespace vrelo::cli
