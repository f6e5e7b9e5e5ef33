// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "hub/auth/authenticator.h"
#include "hub/base/settings.h"
#include "hub/http/request_parser.h"

namespace vrelo::api {

// The path of the hub's URL, unless it is set. Source: draft-dunglas-mercure-08, section 9.1.
inline constexpr std::string_view kHubPath = "/.well-known/mercure";

// What an event's id and type may be long. An id comes back in every reconnect, so it has to get
// through every proxy.
inline constexpr std::size_t kIdBytesMax = 128;
inline constexpr std::size_t kTypeBytesMax = 128;

// What the endpoints need to know of the settings. It never changes: after a reload, requests that
// come from then on are judged by another one.
//
// Threads: any.
struct Policy {
  std::string path{kHubPath};  // of the hub's URL, as far as its endpoints know it

  http::RequestLimits request_limits = {};
  std::chrono::milliseconds request_time{10'000};

  std::size_t topics_max = 100;
  std::size_t topic_bytes_max = 4096;
  std::size_t selectors_max = 100;
  std::size_t selector_bytes_max = 4096;

  base::HelloMode hello = base::HelloMode::kAuto;
  std::chrono::milliseconds stream_lifetime{0};  // 0: any

  std::vector<std::string> allowed_origins = {};  // as a browser writes them
  bool allows_local_origins = false;  // and those of any port of localhost and 127.0.0.1

  std::vector<std::string> allowed_hosts = {};  // in lower case, without a dot at the end
  bool allows_any_host = false;

  bool has_admin_endpoints = false;  // on the main listener

  std::shared_ptr<const auth::TrustPolicy> trust = {};  // nullptr: there is no authorization
  bool mercure_0x = true;                               // clients of Mercure 0.x are served too

  std::string tickets_path = {};  // where tickets are minted
  std::string public_url = {};    // the hub's, for clients; "": it is not known

  // Whether that is set, not taken from an audience: then only its origin is the hub's own.
  bool has_set_public_url = false;

  // How the hub describes itself to those who look for a token (RFC 9728), and where; "": not.
  std::string metadata = {};
  std::string metadata_path = {};
  std::string metadata_url = {};
};

// Returns what clients call the hub: what is set, else its path at the first audience that is a
// URL; "": nobody has said so. A path alone would be taken for one of the page's own origin.
std::string public_url(const base::Settings& settings);

// Returns the policy that `settings` and the keys come to. `local_only`: nobody but this machine
// can reach the hub.
std::shared_ptr<const Policy> make_policy(const base::Settings& settings,
                                          bool local_only,
                                          std::shared_ptr<const auth::TrustPolicy> trust = {});

}  // namespace vrelo::api
