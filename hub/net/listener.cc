// SPDX-License-Identifier: Apache-2.0
#include "hub/net/listener.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <cerrno>
#include <charconv>
#include <climits>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string_view>
#include <system_error>

#include <fmt/format.h>

#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "hub/net/tcp.h"

namespace vrelo::net {
namespace {

using boost::asio::ip::tcp;

// How many connections wait to be accepted, where the system allows as many (net.core.somaxconn).
constexpr int kBacklog = 4096;

std::string reason(int error) {
  switch (error) {
    case EADDRINUSE:
      return "address in use; is another hub running there?";
    case EADDRNOTAVAIL:
      return "this machine has no such address";
    case EACCES:
      return "permission denied (ports below 1024 need a privilege)";
    default:
      return std::generic_category().message(error);
  }
}

// Says why something with the listener on `endpoint` just failed: errno.
base::Fault failed(std::string_view what, const tcp::endpoint& endpoint) {
  const int error = errno;  // before anything else: formatting an address clears it
  return {fmt::format("cannot {} on {}: {}", what, base::format_endpoint(endpoint), reason(error))};
}

bool set(int fd, int level, int option, int value) {
  return ::setsockopt(fd, level, option, &value, sizeof(value)) == 0;
}

std::optional<int> get(int fd, int option) {
  int value = 0;
  socklen_t size = sizeof(value);
  if (::getsockopt(fd, SOL_SOCKET, option, &value, &size) != 0) {
    return std::nullopt;
  }
  return value;
}

std::optional<tcp::endpoint> endpoint_of(int fd) {
  tcp::endpoint endpoint;
  auto size = static_cast<socklen_t>(endpoint.capacity());
  if (::getsockname(fd, endpoint.data(), &size) != 0) {
    return std::nullopt;
  }
  endpoint.resize(std::min<std::size_t>(size, endpoint.capacity()));
  return endpoint;
}

enum class Port { kOwn, kShared };

// False: errno says why.
bool begin_listening(int fd, const tcp::endpoint& endpoint, Port port) {
  set_stream_options(fd);
  const bool is_v6 = endpoint.address().is_v6();
  const int v6_only = endpoint.address().is_unspecified() ? 0 : 1;
  return (port == Port::kOwn || set(fd, SOL_SOCKET, SO_REUSEPORT, 1)) &&
         set(fd, SOL_SOCKET, SO_REUSEADDR, 1) &&  // else a restart waits for old connections
         (!is_v6 || set(fd, IPPROTO_IPV6, IPV6_V6ONLY, v6_only)) &&
         ::bind(fd, endpoint.data(), static_cast<socklen_t>(endpoint.size())) == 0 &&
         ::listen(fd, kBacklog) == 0;
}

Listening<Listener> listen_once(const tcp::endpoint& endpoint, Port port) {
  const int fd = ::socket(endpoint.protocol().family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC,
                          IPPROTO_TCP);
  if (fd >= 0) {
    Listener listener(fd, endpoint);
    if (begin_listening(fd, endpoint, port)) {
      if (const auto actual = endpoint_of(fd)) {
        return Listener(std::move(listener).release(), *actual);
      }
    }
    return failed("listen", endpoint);  // the Listener closes the socket after that
  }
  return failed("listen", endpoint);
}

const std::string* find(std::span<const std::pair<std::string, std::string>> variables,
                        std::string_view name) {
  const auto found = std::find_if(variables.begin(), variables.end(),
                                  [name](const auto& variable) { return variable.first == name; });
  return found == variables.end() ? nullptr : &found->second;
}

// A decimal number up to `max`.
std::optional<int> parse_number(std::string_view text, int max) {
  int number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || number < 0 || number > max) {
    return std::nullopt;
  }
  return number;
}

// Reads LISTEN_FDNAMES, which may not be there: a name for each of `count` descriptors.
Listening<std::vector<std::string>> parse_names(const std::string* text, std::size_t count) {
  if (text == nullptr || count == 0) {
    return std::vector<std::string>(count);
  }
  std::vector<std::string> names(1);
  for (const char c : *text) {
    if (c == ':') {
      names.emplace_back();
    } else {
      names.back() += c;
    }
  }
  if (names.size() != count) {
    return base::Fault{fmt::format("LISTEN_FDNAMES has {} names, for {} descriptors of LISTEN_FDS",
                                   names.size(), count)};
  }
  return names;
}

base::Fault not_a_listener(int fd, std::string_view why) {
  return {fmt::format("LISTEN_FDS: descriptor {} {}", fd, why)};
}

// Returns where the inherited `fd` listens, and makes it fit for a Listener.
Listening<tcp::endpoint> prepare(int fd) {
  const auto type = get(fd, SO_TYPE);
  if (!type) {
    return not_a_listener(fd, errno == EBADF ? "is not open" : "is not a socket");
  }
  const auto family = get(fd, SO_DOMAIN);
  if (*type != SOCK_STREAM || (family != AF_INET && family != AF_INET6) ||
      get(fd, SO_PROTOCOL) != IPPROTO_TCP) {
    return not_a_listener(fd, "is not a TCP socket");
  }
  if (get(fd, SO_ACCEPTCONN) != 1) {
    return not_a_listener(fd, "does not listen");
  }
  const auto endpoint = endpoint_of(fd);
  const int status = ::fcntl(fd, F_GETFL);
  if (!endpoint || status < 0 || ::fcntl(fd, F_SETFL, status | O_NONBLOCK) < 0 ||
      ::fcntl(fd, F_SETFD, FD_CLOEXEC) < 0) {
    return not_a_listener(fd, "cannot be used: " + reason(errno));
  }
  set_stream_options(fd);
  return *endpoint;
}

}  // namespace

Listener& Listener::operator=(Listener&& other) noexcept {
  std::swap(fd_, other.fd_);
  std::swap(endpoint_, other.endpoint_);
  return *this;
}

Listener::~Listener() {
  if (fd_ >= 0) {
    ::close(fd_);
  }
}

Listening<std::vector<Listener>> listen_at(const tcp::endpoint& endpoint, std::size_t shards) {
  assert(shards > 0);
  std::vector<Listener> listeners;
  // The first one does not share its port until it has it, else it would share another process's.
  auto first = listen_once(endpoint, Port::kOwn);
  if (!first) {
    return first.error();
  }
  listeners.push_back(std::move(*first));
  if (shards > 1 && !set(listeners[0].fd(), SOL_SOCKET, SO_REUSEPORT, 1)) {
    return failed("listen", endpoint);
  }
  while (listeners.size() < shards) {
    auto next = listen_once(listeners[0].endpoint(), Port::kShared);
    if (!next) {
      return next.error();
    }
    listeners.push_back(std::move(*next));
  }
  return listeners;
}

Listening<std::vector<NamedListener>> inherited_listeners(
    std::span<const std::pair<std::string, std::string>> variables, pid_t self, int first) {
  std::vector<NamedListener> listeners;
  const std::string* const pid = find(variables, "LISTEN_PID");
  const std::string* const count = find(variables, "LISTEN_FDS");
  if (pid == nullptr || count == nullptr) {
    return listeners;
  }
  const auto for_whom = parse_number(*pid, INT_MAX);
  if (!for_whom) {
    return base::Fault{"LISTEN_PID is not a process id"};
  }
  if (*for_whom != self) {
    return listeners;
  }
  const auto how_many = parse_number(*count, INT_MAX - first);
  if (!how_many) {
    return base::Fault{"LISTEN_FDS is not a number of descriptors"};
  }
  std::vector<tcp::endpoint>
      endpoints;  // of those that were found fit: none is owned before all are
  for (int fd = first; fd < first + *how_many; ++fd) {
    const auto endpoint = prepare(fd);
    if (!endpoint) {
      return endpoint.error();
    }
    endpoints.push_back(*endpoint);
  }
  const auto names = parse_names(find(variables, "LISTEN_FDNAMES"), endpoints.size());
  if (!names) {
    return names.error();
  }
  for (std::size_t i = 0; i < endpoints.size(); ++i) {
    listeners.push_back({(*names)[i], Listener(first++, endpoints[i])});
  }
  return listeners;
}

Listening<std::vector<NamedListener>> line_up(std::vector<NamedListener> listeners, int first) {
  const int end = first + static_cast<int>(listeners.size());
  const auto fault = [] { return base::Fault{"cannot pass listeners on: " + reason(errno)}; };
  for (NamedListener& named : listeners) {  // out of each other's way
    const int fd = ::fcntl(named.listener.fd(), F_DUPFD_CLOEXEC, end);
    if (fd < 0) {
      return fault();
    }
    named.listener = Listener(fd, named.listener.endpoint());
  }
  for (int fd = first; fd < end; ++fd) {
    const int flags = ::fcntl(fd, F_GETFD);
    if (flags < 0) {
      continue;  // nothing is open there
    }
    // It may be what holds a lock for whoever started this process.
    if (::fcntl(fd, (flags & FD_CLOEXEC) != 0 ? F_DUPFD_CLOEXEC : F_DUPFD, end) < 0) {
      return fault();
    }
  }
  for (NamedListener& named : listeners) {
    const int fd = ::dup3(named.listener.fd(), first, O_CLOEXEC);
    if (fd < 0) {
      return fault();
    }
    named.listener = Listener(fd, named.listener.endpoint());
    ++first;
  }
  return listeners;
}

std::vector<std::pair<std::string, std::string>> listen_variables(
    std::span<const NamedListener> listeners) {
  std::string names;
  for (const NamedListener& named : listeners) {
    assert(named.name.find(':') == std::string::npos);
    names += (&named == &listeners.front() ? "" : ":") + named.name;
  }
  return {{"LISTEN_FDS", std::to_string(listeners.size())}, {"LISTEN_FDNAMES", std::move(names)}};
}

Listening<std::vector<std::vector<Listener>>> share_out(std::vector<Listener> listeners,
                                                        std::size_t shards) {
  assert(!listeners.empty() && shards > 0);
  std::vector<std::vector<Listener>> shared(shards);
  for (std::size_t shard = listeners.size(); shard < shards; ++shard) {
    const Listener& listener = listeners[shard % listeners.size()];
    const int fd = ::fcntl(listener.fd(), F_DUPFD_CLOEXEC, 0);
    if (fd < 0) {
      return failed("share the listener", listener.endpoint());
    }
    shared[shard].emplace_back(fd, listener.endpoint());
  }
  for (std::size_t i = 0; i < listeners.size(); ++i) {
    shared[i % shards].push_back(std::move(listeners[i]));
  }
  return shared;
}

}  // namespace vrelo::net
