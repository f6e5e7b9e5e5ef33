// SPDX-License-Identifier: Apache-2.0
#include "hub/listeners.h"

#include <string_view>

#include <unistd.h>

namespace vrelo {
namespace {

constexpr std::string_view kMain = "main";
constexpr std::string_view kAdmin = "admin";

}  // namespace

base::Parsed<Listeners> open_listeners(
    const base::Settings& settings,
    std::span<const std::pair<std::string, std::string>> variables,
    std::size_t shards) {
  using Kind = base::AdminPlace::Kind;
  Listeners listeners;
  auto inherited = net::inherited_listeners(variables, ::getpid());
  if (!inherited) {
    return inherited.error();
  }
  for (net::NamedListener& named : *inherited) {
    const bool is_admin = named.name == kAdmin;
    if (is_admin && settings.admin.kind == Kind::kOff) {
      continue;
    }
    if (auto refused = base::refuse_endpoint(settings, named.listener.endpoint())) {
      return base::Fault{"inherited socket: " + refused->message};
    }
    if (!is_admin) {
      listeners.main.push_back(std::move(named.listener));
    } else if (!listeners.admin) {
      listeners.admin = std::move(named.listener);
    } else {
      return base::Fault{"inherited sockets: two have the name \"admin\""};
    }
  }
  listeners.stay = !listeners.main.empty();
  if (!listeners.stay) {
    auto made = net::listen_at(settings.listen, shards);
    if (!made) {
      return made.error();
    }
    listeners.main = *std::move(made);
  }
  if (settings.admin.kind == Kind::kOwn && !listeners.admin) {
    auto made = net::listen_at(settings.admin.endpoint, 1);
    if (!made) {
      return base::Fault{"admin: " + made.error().message};
    }
    listeners.admin = std::move(made->front());
  }
  return listeners;
}

std::vector<net::NamedListener> with_names(Listeners listeners) {
  std::vector<net::NamedListener> all;
  for (net::Listener& listener : listeners.main) {
    all.push_back({std::string(kMain), std::move(listener)});
  }
  if (listeners.admin) {
    all.push_back({std::string(kAdmin), *std::move(listeners.admin)});
  }
  return all;
}

}  // namespace vrelo
