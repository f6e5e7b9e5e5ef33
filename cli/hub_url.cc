// SPDX-License-Identifier: Apache-2.0
#include "cli/hub_url.h"

#include <fmt/format.h>

#include "cli/printable.h"
#include "cli/publication.h"

namespace vrelo::cli {

base::Parsed<sse::client::Url> read_url(std::string_view text) {
  const auto url = sse::client::parse_url(text);
  if (url) {
    return *url;
  }
  if (url.error() == sse::client::Errc::kUrlHasCredentials) {
    return base::Fault{url.error().message()};  // not repeated: it is a secret
  }
  const std::string with_scheme = fmt::format("http://{}", text);
  const bool lacks_scheme =
      text.find("://") == std::string_view::npos && sse::client::parse_url(with_scheme).has_value();
  return base::Fault{
      fmt::format("{}: {}{}", printable(text), url.error().message(),
                  lacks_scheme ? fmt::format("; did you mean {}?", printable(with_scheme)) : "")};
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
