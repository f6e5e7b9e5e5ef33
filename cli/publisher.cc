// SPDX-License-Identifier: Apache-2.0
#include "cli/publisher.h"

#include <algorithm>
#include <cassert>
#include <utility>

#include <boost/asio/error.hpp>

#include "sse/client/errc.h"

namespace vrelo::cli {
namespace {

using boost::system::error_code;
using sse::client::Errc;
using sse::client::Failure;
using sse::client::Task;
using std::chrono::milliseconds;

constexpr int kRequestTimeout = 408;
constexpr std::size_t kPieceBytes = std::size_t{1} << 16;
constexpr std::size_t kAnswerBytesMax = std::size_t{1} << 16;
constexpr milliseconds kDelayFirst{500};
constexpr milliseconds kDelayMax = std::chrono::seconds(15);
constexpr milliseconds kRetryAfterMax = std::chrono::seconds(30);

// Whether the same request may be answered otherwise a little later. 507: the log is full.
bool passes_by_itself(int status) {
  return status == 429 || status == 502 || status == 503 || status == 504 || status == 507;
}

// Whether an answer to a publish is what the protocol says: the event's id. What servers that are
// no hubs answer to any request is not.
bool is_event_id(const sse::client::ResponseHead& head, std::string_view body) {
  constexpr std::string_view kNever("\r\n\0", 3);
  constexpr std::string_view kDocumentBegins = "<{[\"";
  const bool is_document = head.content_type.find("html") != std::string::npos ||
                           head.content_type.find("json") != std::string::npos;
  return !body.empty() && body.find_first_of(kNever) == std::string_view::npos &&
         !(is_document && kDocumentBegins.find(body.front()) != std::string_view::npos);
}

// Returns a request up to the length of its body.
std::string head_of(const sse::client::Url& url,
                    std::span<const std::pair<std::string, std::string>> fields) {
  std::string head = "POST " + url.path + url.query +
                     " HTTP/1.1\r\nHost: " + sse::client::authority_of(url) +
                     "\r\nUser-Agent: vrelo\r\n";
  for (const auto& [name, value] : fields) {
    head.append(name).append(": ").append(value).append("\r\n");
  }
  return head + "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: ";
}

}  // namespace

Publisher::Publisher(const sse::client::Network& network,
                     sse::client::Url url,
                     std::span<const std::pair<std::string, std::string>> fields,
                     PublisherObserver& observer,
                     std::uint32_t seed)
    : network_(network),
      url_(std::move(url)),
      head_(head_of(url_, fields)),
      observer_(observer),
      random_(seed),
      buffer_(kPieceBytes),
      deadline_(network.make_alarm([this] {
        is_late_ = true;
        connection_->close();
      })),
      delay_alarm_(network.make_alarm([this] { wake_.cancel(); })),
      wake_(network.executor, std::chrono::steady_clock::time_point::max()) {}

Task<std::optional<Failure>> Publisher::publish(std::vector<std::string> forms) {
  assert(forms.size() <= kBatchMax);
  items_.clear();
  for (const std::string& form : forms) {
    items_.push_back({.request = head_ + std::to_string(form.size()) + "\r\n\r\n" + form,
                      .id = {},
                      .refusal = {}});
  }
  reported_ = 0;
  attempts_ = 0;
  while (true) {
    const bool was_open = connection_.has_value();
    const std::size_t answered_before = answered_count();
    const error_code error = co_await attempt();
    report_in_order();
    if (reported_ == items_.size()) {
      co_return std::nullopt;
    }
    const bool got_on = answered_count() > answered_before;
    if (!busy_ && (got_on || was_open)) {
      // An end after an answer, or of a connection that was idle, is nothing to wait for.
      attempts_ = 0;
      continue;
    }
    attempts_ = got_on ? 1 : attempts_ + 1;
    const Failure failure = busy_ ? *busy_ : Failure{.error = error, .had_answer = had_answer_};
    if (!was_connected_ || attempts_ >= kAttemptsMax || is_final(failure.error)) {
      report_rest();
      co_return failure;
    }
    const milliseconds delay = next_delay();
    observer_.on_wait(failure, delay);
    co_await wait(delay);
  }
}

// Sends what has no answer, over a new connection if need be, and reads what there is of answers.
Task<error_code> Publisher::attempt() {
  busy_.reset();
  retry_after_.reset();
  is_late_ = false;
  error_code error = connection_ ? error_code() : co_await connect();
  if (!error) {
    const error_code write_error = co_await write_requests();
    // A hub that refuses a request before it has read all of it says why, and closes: what it said
    // may be there to read.
    const error_code read_error = co_await read_answers();
    error = write_error ? write_error : read_error;
  }
  deadline_->cancel();
  if (error) {
    connection_.reset();
  }
  co_return is_late_ ? Errc::kTimedOut : error;
}

Task<error_code> Publisher::connect() {
  connection_.emplace(network_);
  received_.clear();
  deadline_->set(kOpenTime);
  const error_code error = co_await connection_->open(url_);
  was_connected_ = was_connected_ || !error;
  co_return error;
}

Task<error_code> Publisher::write_requests() {
  std::string bytes;
  for (const Item& item : items_) {
    bytes += item.is_answered() ? std::string_view() : item.request;
  }
  error_code error;
  for (std::size_t at = 0; at < bytes.size() && !error; at += kPieceBytes) {
    deadline_->set(kAnswerTime);
    error = co_await connection_->write(std::string_view(bytes).substr(at, kPieceBytes));
  }
  co_return error;
}

Task<error_code> Publisher::read_answers() {
  for (Item& item : items_) {
    if (item.is_answered()) {
      continue;
    }
    if (const error_code error = co_await read_answer()) {
      co_return error;
    }
    if (reader_.head()->status == kRequestTimeout) {
      co_return Errc::kCut;  // no answer to a request, but the end of a connection that was idle
    }
    take_answer(item);
    if (!reader_.head()->keeps_alive) {
      connection_.reset();
      co_return error_code();
    }
  }
  co_return error_code();
}

Task<error_code> Publisher::read_answer() {
  reader_ = sse::client::ResponseReader();
  while (!reader_.is_done()) {
    if (received_.empty()) {
      deadline_->set(kAnswerTime);
      const auto bytes = co_await connection_->read_some(buffer_);
      if (!bytes) {
        co_return bytes.error();
      }
      if (*bytes == 0) {
        const auto ended = reader_.end();
        co_return ended ? error_code() : ended.error();
      }
      received_.assign(buffer_.data(), *bytes);
      had_answer_ = true;
    }
    const auto taken = reader_.feed(received_);
    if (!taken) {
      co_return taken.error();
    }
    received_.erase(0, *taken);
    if (reader_.body().size() > kAnswerBytesMax) {
      co_return Errc::kAnswerTooBig;
    }
  }
  co_return error_code();
}

void Publisher::take_answer(Item& item) {
  const sse::client::ResponseHead& head = *reader_.head();
  if (head.status / 100 == 2 && is_event_id(head, reader_.body())) {
    item.id = std::move(reader_.body());
    return;
  }
  Failure failure{.error = Errc::kRefused,
                  .had_answer = true,
                  .status = head.status,
                  .content_type = head.content_type,
                  .body = std::move(reader_.body())};
  if (head.status / 100 == 3 && !head.location.empty()) {
    failure.content_type.clear();
    failure.body = "it redirects to " + head.location;
  }
  if (passes_by_itself(head.status)) {
    busy_ = std::move(failure);
    retry_after_ = std::max(
        retry_after_.value_or(milliseconds(0)),
        std::min<milliseconds>(head.retry_after.value_or(std::chrono::seconds(0)), kRetryAfterMax));
  } else {
    item.refusal = std::move(failure);
  }
}

void Publisher::report_in_order() {
  while (reported_ < items_.size() && items_[reported_].is_answered()) {
    report(reported_++);
  }
}

// Tells the observer of those that are answered behind one that is not.
void Publisher::report_rest() {
  for (; reported_ < items_.size(); ++reported_) {
    if (items_[reported_].is_answered()) {
      report(reported_);
    }
  }
}

void Publisher::report(std::size_t index) {
  const Item& item = items_[index];
  if (item.id) {
    observer_.on_published(index, *item.id);
  } else {
    observer_.on_refused(index, *item.refusal);
  }
}

std::size_t Publisher::answered_count() const {
  return static_cast<std::size_t>(std::count_if(
      items_.begin(), items_.end(), [](const Item& item) { return item.is_answered(); }));
}

// Whether waiting would not help.
bool Publisher::is_final(const error_code& error) {
  return error == Errc::kNotHttp || error == Errc::kHeadTooBig || error == Errc::kAnswerTooBig ||
         sse::client::is_tls_error(error);
}

milliseconds Publisher::next_delay() {
  milliseconds delay = kDelayFirst;
  for (unsigned i = 1; i < attempts_; ++i) {
    delay = std::min(delay * 2, kDelayMax);
  }
  delay = std::max(delay, retry_after_.value_or(milliseconds(0)));
  return delay +
         milliseconds(std::uniform_int_distribution<std::int64_t>(0, delay.count() / 4)(random_));
}

Task<void> Publisher::wait(milliseconds delay) {
  delay_alarm_->set(delay);
  co_await wake_.async_wait(sse::client::kAwait);
}

}  // namespace vrelo::cli
