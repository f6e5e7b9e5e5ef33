// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "hub/base/setting_text.h"
#include "hub/base/settings.h"
#include "hub/net/listener.h"

namespace vrelo {

// The sockets that a hub serves at.
struct Listeners {
  std::vector<net::Listener> main;     // at least one
  std::optional<net::Listener> admin;  // nullopt: administration has no socket of its own

  // Whether the main ones were inherited: whoever passed them has them too, so that who connects
  // while this hub ends is served by the next one.
  bool stay = false;

  // Whether nobody but this machine can reach the hub, its administration included.
  bool is_local_only() const {
    const auto is_local = [](const net::Listener& listener) {
      return listener.endpoint().address().is_loopback();
    };
    return std::all_of(main.begin(), main.end(), is_local) && (!admin || is_local(*admin));
  }
};

// Takes over the sockets that were inherited, according to `variables`, and opens those that are
// missing: as many for `listen` as there are shards, one for `admin`.
//
// An inherited socket with the name "admin" (LISTEN_FDNAMES) is for administration, unless `admin`
// is off, which closes it; any other is a main one.
// Order: before the process opens anything else.
// Errors: those of net::inherited_listeners() and net::listen_at(); a socket where these settings
// may not serve.
base::Parsed<Listeners> open_listeners(
    const base::Settings& settings,
    std::span<const std::pair<std::string, std::string>> variables,
    std::size_t shards);

// The same sockets with the names by which open_listeners() tells them apart.
std::vector<net::NamedListener> with_names(Listeners listeners);

}  // namespace vrelo
