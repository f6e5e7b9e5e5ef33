// SPDX-License-Identifier: Apache-2.0
#include "sse/client/event_source.h"

#include <algorithm>
#include <cassert>
#include <charconv>

#include <boost/asio/error.hpp>
#include <boost/beast/core/string.hpp>

namespace vrelo::sse::client {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;
using std::chrono::milliseconds;

constexpr int kRedirectsMax = 20;
constexpr std::size_t kReadBytes = std::size_t{1} << 16;
constexpr std::size_t kRefusalBytesMax = std::size_t{1} << 16;
constexpr milliseconds kRetryMin{500};
constexpr milliseconds kRetryMax = std::chrono::minutes(5);
constexpr milliseconds kBackOffMax = std::chrono::seconds(30);

bool is_redirect(int status) {
  return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

// Whether the same request may be answered otherwise a little later.
bool passes_by_itself(int status) {
  return status == 429 || status == 502 || status == 503 || status == 504;
}

// Parameters, such as charset=utf-8, do not matter: a stream is UTF-8.
bool is_event_stream(std::string_view content_type) {
  std::string_view essence = content_type.substr(0, content_type.find(';'));
  while (!essence.empty() && (essence.back() == ' ' || essence.back() == '\t')) {
    essence.remove_suffix(1);
  }
  return boost::beast::iequals({essence.data(), essence.size()}, "text/event-stream");
}

// Returns how long a server may be silent that announces its heartbeat in `comment`.
std::optional<milliseconds> announced_silence(std::string_view comment) {
  constexpr std::string_view kPrefix = "vrelo heartbeat=";
  constexpr unsigned kSecondsMax = 3600;
  if (!comment.starts_with(kPrefix)) {
    return std::nullopt;
  }
  unsigned seconds = 0;
  const char* const comment_end = comment.data() + comment.size();
  const auto [end, errc] = std::from_chars(comment.data() + kPrefix.size(), comment_end, seconds);
  if (errc != std::errc() || end != comment_end || seconds == 0 || seconds > kSecondsMax) {
    return std::nullopt;
  }
  return milliseconds(2500) * seconds;
}

bool is_field_text(std::string_view text) {
  constexpr std::string_view kNever("\r\n\0", 3);
  return text.find_first_of(kNever) == std::string_view::npos;
}

}  // namespace

class EventSource::StreamSink final : public DecoderSink {
 public:
  explicit StreamSink(EventSource& source) : source_(source) {}

  void on_event(const Event& event) override {
    if (!source_.is_stopped_) {
      source_.last_event_id_ = event.last_event_id;
      source_.observer_.on_event(event);
    }
  }

  void on_retry(milliseconds delay) override {
    source_.retry_ = std::clamp(delay, kRetryMin, kRetryMax);
  }

  void on_comment(std::string_view text) override {
    if (const auto silence = announced_silence(text)) {
      source_.silence_max_ = *silence;
    }
  }

 private:
  EventSource& source_;
};

EventSource::EventSource(const Network& network,
                         Url url,
                         EventSourceOptions options,
                         EventSourceObserver& observer,
                         std::uint32_t seed)
    : network_(network),
      url_(std::move(url)),
      options_(std::move(options)),
      observer_(observer),
      random_(seed),
      last_event_id_(options_.last_event_id),
      retry_(options_.retry),
      buffer_(kReadBytes),
      deadline_(network.make_alarm([this] { on_late(); })),
      silence_max_(options_.silence_max),
      delay_alarm_(network.make_alarm([this] { wake_.cancel(); })),
      wake_(network.executor, std::chrono::steady_clock::time_point::max()) {
  assert(is_field_text(last_event_id_));
  for (const auto& [name, value] : options_.fields) {
    assert(is_field_text(name));
    assert(is_field_text(value));
  }
}

Task<Failure> EventSource::run() {
  while (!is_stopped_) {
    Failure failure = co_await attempt();
    failure.had_answer = had_answer_;
    deadline_->cancel();
    connection_.reset();
    if (is_stopped_) {
      break;
    }
    if (is_final(failure)) {
      co_return failure;
    }
    const milliseconds delay = next_delay();
    observer_.on_wait(failure, delay);
    if (!is_stopped_) {
      co_await wait(delay);
    }
  }
  co_return Failure{.error = asio::error::operation_aborted};
}

void EventSource::stop() {
  is_stopped_ = true;
  if (connection_) {
    connection_->close();
  }
  wake_.cancel();
}

// Reads what there is to read over the connections of one attempt: one, and one more for each
// redirect. Returns why there is no stream any more.
Task<Failure> EventSource::attempt() {
  ++failed_attempts_;
  is_late_ = false;
  had_answer_ = false;
  deadline_->set(options_.open_time);  // of all redirects together

  const error_code error = co_await follow_to_head();
  if (error) {
    co_return Failure{.error = is_late_ ? Errc::kTimedOut : error};
  }
  const ResponseHead& head = *reader_.head();
  if (head.status == 204) {
    co_return Failure{.error = Errc::kNoContent};
  }
  if (head.status != 200) {
    co_return co_await read_refusal();
  }
  if (!is_event_stream(head.content_type) || head.is_compressed) {
    co_return Failure{
        .error = Errc::kNotEventStream, .status = 200, .content_type = head.content_type};
  }
  deadline_->cancel();
  const error_code end = co_await read_stream();
  co_return Failure{.error = is_late_ ? Errc::kSilent : end};
}

// Gets a head that is no redirect.
Task<error_code> EventSource::follow_to_head() {
  Url url = url_;
  bool is_own_origin = true;
  for (int redirects = 0; redirects <= kRedirectsMax; ++redirects) {
    const error_code error = co_await read_head(url, is_own_origin);
    if (error || !is_redirect(reader_.head()->status)) {
      co_return error;
    }
    const std::string& location = reader_.head()->location;
    const auto next = resolve(url, location);
    if (location.empty() || !next) {
      co_return Errc::kRedirectMalformed;
    }
    if (url.is_tls && !next->is_tls) {
      co_return Errc::kRedirectToPlain;
    }
    url = *next;
    // Once elsewhere, secrets stay out: whether a way leads back is then for others to say.
    is_own_origin = is_own_origin && is_same_origin(url, url_);
  }
  co_return Errc::kRedirectsTooMany;
}

Task<error_code> EventSource::read_head(Url url, bool is_own_origin) {
  reader_ = ResponseReader();
  connection_.emplace(network_);
  error_code error = co_await connection_->open(url);
  if (error) {
    co_return error;
  }
  const std::string head = request_head(url, is_own_origin);
  error = co_await connection_->write(head);
  while (!error && reader_.head() == nullptr) {
    error = co_await read_more();
  }
  co_return error;
}

Task<Failure> EventSource::read_refusal() {
  // What the server says is worth a moment, but it is refused whatever it says.
  error_code error;
  while (!error && !reader_.is_done() && reader_.body().size() < kRefusalBytesMax) {
    error = co_await read_more();
  }
  reader_.body().resize(std::min(reader_.body().size(), kRefusalBytesMax));
  co_return Failure{.error = Errc::kRefused,
                    .status = reader_.head()->status,
                    .content_type = reader_.head()->content_type,
                    .body = std::move(reader_.body())};
}

Task<error_code> EventSource::read_stream() {
  was_open_ = true;
  failed_attempts_ = 0;
  silence_max_ = options_.silence_max;
  StreamSink sink(*this);
  Decoder decoder(sink, options_.limits, last_event_id_);
  observer_.on_open();
  while (!is_stopped_) {
    const auto fed = decoder.feed(reader_.body());
    reader_.body().clear();
    if (!is_stopped_) {
      last_event_id_ = decoder.last_event_id();  // also of blocks that are no events
    }
    observer_.on_pause();
    if (!fed) {
      co_return fed.error();
    }
    if (reader_.is_done()) {
      co_return Errc::kEnded;
    }
    if (!is_stopped_) {
      deadline_->set(silence_max_);
      const error_code error = co_await read_more();
      deadline_->cancel();
      if (error) {
        co_return error;
      }
    }
  }
  co_return asio::error::operation_aborted;
}

// Reads what has come, into reader_.
Task<error_code> EventSource::read_more() {
  const auto bytes = co_await connection_->read_some(buffer_);
  if (!bytes) {
    co_return bytes.error();
  }
  if (*bytes == 0) {
    const auto ended = reader_.end();
    co_return ended ? error_code() : ended.error();
  }
  had_answer_ = true;
  const auto taken = reader_.feed({buffer_.data(), *bytes});
  co_return taken ? error_code() : taken.error();
}

Task<void> EventSource::wait(milliseconds delay) {
  delay_alarm_->set(delay);
  co_await wake_.async_wait(kAwait);
  delay_alarm_->cancel();
}

std::string EventSource::request_head(const Url& url, bool is_own_origin) const {
  std::string head = "GET " + url.path + url.query + " HTTP/1.1\r\nHost: " + authority_of(url) +
                     "\r\nAccept: text/event-stream\r\nCache-Control: no-store\r\n"
                     "User-Agent: vrelo\r\n";
  if (!last_event_id_.empty()) {
    head += "Last-Event-ID: " + last_event_id_ + "\r\n";
  }
  if (is_own_origin) {
    for (const auto& [name, value] : options_.fields) {
      head.append(name).append(": ").append(value).append("\r\n");
    }
  }
  return head += "\r\n";
}

void EventSource::on_late() {
  is_late_ = true;
  connection_->close();
}

bool EventSource::is_final(const Failure& failure) const {
  const error_code& error = failure.error;
  if (!options_.reconnects) {
    return true;
  }
  if (error == Errc::kRefused) {
    return !passes_by_itself(failure.status);
  }
  if (error == Errc::kNoContent || error == Errc::kNotEventStream ||
      error == Errc::kRedirectMalformed || error == Errc::kRedirectToPlain ||
      error == Errc::kRedirectsTooMany || error == sse::Errc::kEventTooBig) {
    return true;
  }
  return !was_open_ && (error == Errc::kNotHttp || error == Errc::kHeadTooBig ||
                        error == asio::error::host_not_found || error == asio::error::no_data ||
                        is_tls_error(error));
}

milliseconds EventSource::next_delay() {
  milliseconds delay = retry_;
  for (unsigned i = 1; i < failed_attempts_ && delay < kBackOffMax; ++i) {
    delay = std::min(delay * 2, kBackOffMax);
  }
  if (const ResponseHead* const head = reader_.head(); head != nullptr && head->retry_after) {
    delay = std::max<milliseconds>(delay, *head->retry_after);
  }
  delay = std::min(delay, kRetryMax);
  return delay +
         milliseconds(std::uniform_int_distribution<std::int64_t>(0, delay.count() / 4)(random_));
}

}  // namespace vrelo::sse::client
