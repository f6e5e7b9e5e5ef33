// SPDX-License-Identifier: Apache-2.0
#include "cli/form_post.h"

#include <utility>

#include "sse/client/errc.h"

namespace vrelo::cli {
namespace {

using boost::system::error_code;
using sse::client::Errc;
using sse::client::Failure;
using sse::client::Task;

constexpr std::size_t kPieceBytes = std::size_t{1} << 14;

}  // namespace

FormPost::FormPost(const sse::client::Network& network)
    : connection_(network), buffer_(kPieceBytes), deadline_(network.make_alarm([this] {
        is_late_ = true;
        connection_.close();
      })) {}

Task<FormPost::Answer> FormPost::send(sse::client::Url url, Fields fields, std::string form) {
  std::string bytes = "POST " + url.path + url.query +
                      " HTTP/1.1\r\nHost: " + sse::client::authority_of(url) +
                      "\r\nUser-Agent: vrelo\r\nConnection: close\r\n";
  for (const auto& [name, value] : fields) {
    bytes.append(name).append(": ").append(value).append("\r\n");
  }
  bytes += "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: " +
           std::to_string(form.size()) + "\r\n\r\n" + form;
  deadline_->set(kTime);
  const error_code error = co_await exchange(std::move(url), std::move(bytes));
  deadline_->cancel();
  if (error) {
    Failure failure{.error = is_late_ ? error_code(Errc::kTimedOut) : error,
                    .had_answer = had_answer_};
    co_return Answer{.failure = std::move(failure)};
  }
  const sse::client::ResponseHead& head = *reader_.head();
  if (head.status / 100 != 2) {
    Failure failure{.error = Errc::kRefused,
                    .had_answer = true,
                    .status = head.status,
                    .content_type = head.content_type,
                    .body = std::move(reader_.body())};
    co_return Answer{.failure = std::move(failure)};
  }
  co_return Answer{.body = std::move(reader_.body())};
}

Task<error_code> FormPost::exchange(sse::client::Url url, std::string bytes) {
  if (const error_code error = co_await connection_.open(std::move(url))) {
    co_return error;
  }
  const error_code write_error = co_await connection_.write(bytes);
  // A hub that refuses a request before it has read all of it says why, and closes.
  const error_code read_error = co_await read_answer();
  co_return reader_.is_done() ? error_code() : write_error ? write_error : read_error;
}

Task<error_code> FormPost::read_answer() {
  while (!reader_.is_done()) {
    const auto bytes = co_await connection_.read_some(buffer_);
    if (!bytes) {
      co_return bytes.error();
    }
    had_answer_ = had_answer_ || *bytes > 0;
    if (*bytes == 0) {
      const auto ended = reader_.end();
      co_return ended ? error_code() : ended.error();
    }
    const auto taken = reader_.feed({buffer_.data(), *bytes});
    if (!taken) {
      co_return taken.error();
    }
    if (reader_.body().size() > kAnswerBytesMax) {
      co_return Errc::kAnswerTooBig;
    }
  }
  co_return error_code();
}

}  // namespace vrelo::cli
