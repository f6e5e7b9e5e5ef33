// SPDX-License-Identifier: Apache-2.0
//
// What settings come to together.
#include "hub/base/settings_check.h"

#include <algorithm>

#include <fmt/format.h>

namespace vrelo::base {
namespace {

constexpr std::size_t kFilesKept = 256;  // databases, epoll sets, and connections to be refused

}  // namespace

Parsed<void> check_settings(const Settings& settings) {
  auto refused = refuse_endpoint(settings, settings.listen);
  if (refused) {
    return Fault{"listen: " + refused->message};
  }
  if (settings.open && !settings.issuers.empty()) {
    return Fault{"open = true is for a hub without authorization, but the file has [[issuers]]"};
  }
  const auto takes_tokens_of_now = [](const IssuerSettings& issuer) {
    return !issuer.name.empty();
  };
  if (settings.audiences.empty() &&
      std::any_of(settings.issuers.begin(), settings.issuers.end(), takes_tokens_of_now)) {
    return Fault{"audiences: has to say what the hub is called in tokens (aud), as a rule its URL"};
  }
  if (settings.admin.kind == AdminPlace::Kind::kOwn) {
    refused = refuse_endpoint(settings, settings.admin.endpoint);
    if (refused) {
      return Fault{"admin: " + refused->message};
    }
  }
  return {};
}

std::vector<std::string> warnings(const Settings& settings) {
  std::vector<std::string> sentences;
  if (settings.open && !settings.listen.address().is_loopback()) {
    sentences.push_back(
        fmt::format("open = true: whoever reaches {} may publish, and read all but private events",
                    format_endpoint(settings.listen)));
  }
  if (settings.open && settings.admin.kind == AdminPlace::Kind::kOwn &&
      !settings.admin.endpoint.address().is_loopback()) {
    sentences.push_back(fmt::format("open = true: whoever reaches {} may administer the hub",
                                    format_endpoint(settings.admin.endpoint)));
  }
  return sentences;
}

bool is_local_only(const Settings& settings) {
  return settings.listen.address().is_loopback() &&
         (settings.admin.kind != AdminPlace::Kind::kOwn ||
          settings.admin.endpoint.address().is_loopback());
}

std::optional<Fault> refuse_endpoint(const Settings& settings,
                                     const boost::asio::ip::tcp::endpoint& endpoint) {
  if (settings.open || !settings.issuers.empty() || endpoint.address().is_loopback()) {
    return std::nullopt;
  }
  return Fault{
      fmt::format("other machines can reach {}, and there is no authorization: listen on loopback "
                  "(127.0.0.1) behind a proxy, say in [[issuers]] whose tokens are taken, or set "
                  "open = true to let everyone publish and read",
                  format_endpoint(endpoint))};
}

std::optional<Fault> refuse_files_max(const Settings& settings, std::size_t files_max) {
  constexpr std::size_t kConnectionsMin = 16;  // with fewer it would seem to hang
  if (settings.connections != 0 || files_max >= kFilesKept + kConnectionsMin) {
    return std::nullopt;
  }
  return Fault{
      fmt::format("connections: the process may have {} files open (ulimit -n, or LimitNOFILE= in "
                  "systemd), and "
                  "{} of them are kept for other things: allow at least {}, or set connections",
                  files_max, kFilesKept, kFilesKept + kConnectionsMin)};
}

std::size_t connections_max(const Settings& settings, std::size_t files_max) {
  if (settings.connections != 0) {
    return settings.connections;
  }
  return files_max > kFilesKept ? files_max - kFilesKept : 1;
}

}  // namespace vrelo::base
