// SPDX-License-Identifier: Apache-2.0
#include "cli/failure_text.h"

#include <cstddef>
#include <optional>
#include <string_view>

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <boost/asio/error.hpp>
#include <boost/asio/ssl/error.hpp>
#include <boost/beast/http/status.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>

#include "cli/commands.h"
#include "cli/event_text.h"
#include "cli/hub_url.h"
#include "cli/printable.h"
#include "hub/base/text.h"
#include "sse/errc.h"

namespace vrelo::cli {
namespace {

namespace json = boost::json;

constexpr std::size_t kShownBytesMax = 200;

// Returns the beginning of `text`, up to a border between characters.
std::string_view beginning(std::string_view text) {
  if (text.size() <= kShownBytesMax) {
    return text;
  }
  std::size_t end = kShownBytesMax;
  while (end > kShownBytesMax - 4 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) {
    --end;
  }
  return text.substr(0, end);
}

std::string member(const json::object& object, std::string_view name) {
  const json::value* const value = object.if_contains(json::string_view(name.data(), name.size()));
  if (value == nullptr || !value->is_string()) {
    return {};
  }
  return {value->get_string().data(), value->get_string().size()};
}

// Returns what a problem document says; "": `body` is none, or says nothing.
std::string problem_text(std::string_view body) {
  boost::system::error_code error;
  const json::value value = json::parse(json::string_view(body.data(), body.size()), error);
  if (error || !value.is_object()) {
    return {};
  }
  const json::object& problem = value.get_object();
  const std::string field = member(problem, "field");
  const std::string detail = member(problem, "detail");
  std::string words = detail.empty() ? member(problem, "title") : detail;
  if (words.ends_with('.')) {
    words.pop_back();  // advice() goes on with the sentence
  }
  return field.empty() || words.empty() ? words : field + ": " + words;
}

// Returns the first line of a text that is not a page for browsers; "": there is none.
std::string first_line(std::string_view body) {
  const std::string_view line = body.substr(0, body.find_first_of("\r\n"));
  return line.starts_with('<') || !base::is_utf8(beginning(line)) ? "" : std::string(line);
}

// Returns "Service Unavailable" for 503; "": the standard has no such status.
std::string reason_of(int status) {
  namespace http = boost::beast::http;
  const http::status known = http::int_to_status(static_cast<unsigned>(status));
  return known == http::status::unknown ? std::string() : std::string(http::obsolete_reason(known));
}

std::string refusal_text(const sse::client::Failure& failure) {
  const bool is_json = failure.content_type.find("json") != std::string::npos;
  std::string said = is_json ? problem_text(failure.body) : first_line(failure.body);
  said = said.empty() ? reason_of(failure.status) : said;
  return fmt::format("the hub refused ({}){}{}", failure.status, said.empty() ? "" : ": ",
                     printable(beginning(said)));
}

// "it is text/html".
std::string type_text(const sse::client::Failure& failure) {
  const std::string type = printable(beginning(failure.content_type));
  return type.empty() ? "it has no type" : "it is " + type;
}

// Whether `error` is about what came, not about how to get there.
bool is_of_answer(const boost::system::error_code& error) {
  return error.category() == make_error_code(sse::client::Errc::kCut).category() ||
         error.category() == make_error_code(sse::Errc::kEventTooBig).category();
}

bool is_wrong_version(const boost::system::error_code& error) {
  return error.category() == boost::asio::error::get_ssl_category() &&
         ERR_GET_REASON(static_cast<unsigned long>(error.value())) == SSL_R_WRONG_VERSION_NUMBER;
}

bool shows_ticket(const sse::client::Url& url) {
  return url.query.starts_with("?ticket=") || url.query.find("&ticket=") != std::string::npos;
}

}  // namespace

std::string failure_text(const sse::client::Failure& failure, const sse::client::Url& url) {
  if (failure.error == sse::client::Errc::kRefused && failure.status / 100 == 2) {
    return "the answer is not the id of an event: " + type_text(failure);
  }
  if (failure.error == sse::client::Errc::kRefused) {
    return refusal_text(failure);
  }
  if (failure.error == sse::client::Errc::kNotEventStream) {
    return "the answer is not an event stream: " + type_text(failure);
  }
  // What OpenSSL says does not say that it is about TLS: "wrong version number".
  const bool is_tls = failure.error.category() == boost::asio::error::get_ssl_category();
  const std::string why = (is_tls ? "TLS failed: " : "") + failure.error.message();
  return failure.had_answer && is_of_answer(failure.error)
             ? why
             : sse::client::authority_of(url) + ": " + why;
}

std::string advice(const sse::client::Failure& failure, const sse::client::Url& url) {
  if (failure.error == boost::asio::error::connection_refused) {
    return "; is a hub running there?";
  }
  if (failure.error == sse::Errc::kEventTooBig) {
    return fmt::format(" of {} MiB", kEventBytesMax >> 20);
  }
  if (is_wrong_version(failure.error)) {
    return "; if it speaks no TLS, its URL begins with http://";
  }
  if (failure.error == sse::client::Errc::kNotHttp && !url.is_tls) {
    return "; if it speaks TLS, its URL begins with https://";
  }
  if (failure.error == sse::client::Errc::kRefused && failure.status == 401) {
    return shows_ticket(url) ? "; a ticket opens one stream, and soon: vrelo ticket gets another"
                             : "; --token-file FILE shows a token, and vrelo token inspect FILE "
                               "tells what is wrong with it";
  }
  if (failure.error == sse::client::Errc::kRefused && failure.status == 404 &&
      url.path == fmt::format("{}/tickets", kHubPath)) {
    return "; a hub has tickets where it has keys";
  }
  const bool is_wrong_place =
      failure.error == sse::client::Errc::kRefused &&
      (failure.status / 100 == 2 || failure.status == 404 || failure.status == 405);
  if (is_wrong_place && url.path != kHubPath) {
    return fmt::format("; the path of a hub is {}", kHubPath);
  }
  return {};
}

int failure_status(const sse::client::Failure& failure) {
  return failure.had_answer ? kFailed : kNotConnected;
}

std::string delay_text(std::chrono::milliseconds delay) {
  constexpr auto kMinute = std::chrono::minutes(1);
  if (delay < 2 * kMinute) {
    return fmt::format("{:.1f} s", std::chrono::duration<double>(delay).count());
  }
  return fmt::format("{} min", std::chrono::round<std::chrono::minutes>(delay).count());
}

}  // namespace vrelo::cli
