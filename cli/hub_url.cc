// SPDX-License-Identifier: Apache-2.0
#include "cli/hub_url.h"

#include <fmt/format.h>

#include "cli/printable.h"
#include "cli/publication.h"

namespace vrelo::cli {

namespace {

std::string with_scheme(std::string_view text) {
  return fmt::format("http://{}", text);
}

// Whether `text`, which is no URL of ours, holds a password: it is then not to be repeated.
bool has_credentials(std::string_view text) {
  for (const auto& url :
       {sse::client::parse_url(text), sse::client::parse_url(with_scheme(text))}) {
    if (!url && url.error() == sse::client::Errc::kUrlHasCredentials) {
      return true;
    }
  }
  return false;
}

// Returns what somebody may have meant by a text that is no URL, as the end of the sentence that
// says so.
std::string meant_by(std::string_view text) {
  if (text.find("://") != std::string_view::npos || !sse::client::parse_url(with_scheme(text))) {
    return {};
  }
  // A topic, for example, where the order of arguments was mistaken: no name of a host.
  if (text.find_first_of(".:") == std::string_view::npos && !text.starts_with("localhost")) {
    return "; one looks like http://127.0.0.1:3000";
  }
  return fmt::format("; did you mean {}?", printable(with_scheme(text)));
}

}  // namespace

base::Parsed<sse::client::Url> read_url(std::string_view text) {
  const auto url = sse::client::parse_url(text);
  if (url && text.find('#') != std::string_view::npos) {
    return base::Fault{fmt::format(
        "{}: what stands behind # is not sent; where it is meant, as in an id, write %23",
        printable(text))};
  }
  if (url) {
    return *url;
  }
  if (text.empty()) {
    return base::Fault{"the URL is empty"};
  }
  if (has_credentials(text)) {
    return base::Fault{make_error_code(sse::client::Errc::kUrlHasCredentials).message()};
  }
  return base::Fault{
      fmt::format("{}: {}{}", printable(text), url.error().message(), meant_by(text))};
}

sse::client::Url hub_url(sse::client::Url url) {
  if (url.path == "/") {
    url.path = kHubPath;
  }
  return url;
}

sse::client::Url with_topics(sse::client::Url url, std::span<const std::string> topics) {
  for (const std::string& topic : topics) {
    url.query += url.query.empty() ? "?" : "&";
    url.query += "match=" + percent_encoded(topic);
  }
  return url;
}

}  // namespace vrelo::cli
