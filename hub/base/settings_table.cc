// SPDX-License-Identifier: Apache-2.0
#include "hub/base/settings_table.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <type_traits>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace vrelo::base {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr std::uint64_t kKiB = std::uint64_t{1} << 10;
constexpr std::uint64_t kMiB = std::uint64_t{1} << 20;
constexpr std::uint64_t kGiB = std::uint64_t{1} << 30;
constexpr std::uint64_t kTiB = std::uint64_t{1} << 40;
constexpr milliseconds kYear = hours(24 * 365);

// A text that stands for each value of an enumeration.
template <typename T>
struct Word {
  std::string_view text;
  T value;
};

constexpr Word<HelloMode> kHelloWords[] = {
    {"auto", HelloMode::kAuto}, {"always", HelloMode::kAlways}, {"never", HelloMode::kNever}};
constexpr Word<LogLevel> kLogLevelWords[] = {{"debug", LogLevel::kDebug},
                                             {"info", LogLevel::kInfo},
                                             {"warning", LogLevel::kWarning},
                                             {"error", LogLevel::kError}};

template <auto kField, const auto& kWords>
OtherKind choice(std::string_view shape) {
  const auto parse = [](Settings settings, std::string_view text) -> Parsed<Settings> {
    for (const auto& word : kWords) {
      if (word.text == text) {
        settings.*kField = word.value;
        return settings;
      }
    }
    std::vector<std::string_view> texts;
    for (const auto& word : kWords) {
      texts.push_back(word.text);
    }
    return Fault{fmt::format("is none of: {}", fmt::join(texts, ", "))};
  };
  const auto format = [](const Settings& settings) {
    const auto is_set = [&](const auto& word) { return word.value == settings.*kField; };
    return std::string(std::find_if(std::begin(kWords), std::end(kWords), is_set)->text);
  };
  return {shape, parse, format};
}

// Whether `text` has letters, digits and `others`, and no other character.
bool has_only(std::string_view text, std::string_view others) {
  return std::all_of(text.begin(), text.end(), [others](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 ||
           others.find(c) != std::string_view::npos;
  });
}

Parsed<Settings> parse_config(Settings settings, std::string_view text) {
  settings.config = text;
  return settings;
}

Parsed<Settings> parse_listen(Settings settings, std::string_view text) {
  const auto endpoint = parse_endpoint(text);
  if (!endpoint) {
    return endpoint.error();
  }
  settings.listen = *endpoint;
  return settings;
}

// What every part of the way, and a Link field, leaves as it is.
Parsed<Settings> parse_path(Settings settings, std::string_view text) {
  constexpr std::size_t kPathBytesMax = 256;
  // A segment that is empty, or that a browser would take away.
  const auto has_segment = [path = std::string(text) + "/"](std::string_view segment) {
    return path.find(fmt::format("/{}/", segment)) != std::string::npos;
  };
  if (!text.starts_with('/') || text.size() > kPathBytesMax || !has_only(text, "-._~/") ||
      has_segment("") || has_segment(".") || has_segment("..")) {
    return Fault{fmt::format(
        "is not a path as \"/live/hub\": letters, digits and -._~ between slashes, at most {} "
        "bytes",
        kPathBytesMax)};
  }
  for (const std::string_view own : {"/healthz", "/readyz", "/metrics", "/admin"}) {
    if (text == own || text.starts_with(std::string(own) + "/")) {
      return Fault{"is a path that the hub has for its administrator"};
    }
  }
  settings.path = text;
  return settings;
}

Parsed<Settings> parse_admin(Settings settings, std::string_view text) {
  if (text == "auto" || text == "off") {
    settings.admin = {text == "auto" ? AdminPlace::Kind::kAuto : AdminPlace::Kind::kOff, {}};
    return settings;
  }
  const auto endpoint = parse_endpoint(text);
  if (!endpoint) {
    return Fault{endpoint.error().message + ", nor \"auto\" or \"off\""};
  }
  settings.admin = {AdminPlace::Kind::kOwn, *endpoint};
  return settings;
}

std::string format_admin(const Settings& settings) {
  switch (settings.admin.kind) {
    case AdminPlace::Kind::kAuto:
      return "auto";
    case AdminPlace::Kind::kOff:
      return "off";
    case AdminPlace::Kind::kOwn:
      return format_endpoint(settings.admin.endpoint);
  }
  return {};
}

Parsed<Settings> parse_log(Settings settings, std::string_view text) {
  constexpr std::string_view kSqlite = "sqlite:";
  if (text == "memory:") {
    settings.log = {LogPlace::Kind::kMemory, ""};
    return settings;
  }
  if (!text.starts_with(kSqlite) || text.size() == kSqlite.size()) {
    return Fault{"is neither \"memory:\" nor \"sqlite:FILE\""};
  }
  settings.log = {LogPlace::Kind::kSqlite, std::string(text.substr(kSqlite.size()))};
  return settings;
}

std::string format_log(const Settings& settings) {
  return settings.log.kind == LogPlace::Kind::kMemory ? "memory:" : "sqlite:" + settings.log.file;
}

std::string lower(std::string_view text) {
  std::string result(text);
  for (char& c : result) {
    c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  }
  return result;
}

bool is_host(std::string_view text) {
  return !text.empty() && has_only(text, "-._:[]");
}

// As a browser writes it in the Origin field: in lower case, and without the scheme's own port.
Parsed<std::string> parse_origin(std::string_view text) {
  std::string origin = lower(text);
  const std::size_t colon = origin.find("://");
  if (colon == std::string::npos || colon == 0 || !is_host(origin.substr(colon + 3))) {
    return Fault{
        "is not an origin: SCHEME://HOST or SCHEME://HOST:PORT, without a path; \"*\" and \"null\" "
        "are not possible"};
  }
  for (const std::string_view own : {"http://:80", "https://:443"}) {
    const std::string_view scheme = own.substr(0, own.rfind(':'));
    const std::string_view port = own.substr(own.rfind(':'));
    if (origin.starts_with(scheme) && origin.ends_with(port)) {
      origin.resize(origin.size() - port.size());
    }
  }
  return parsed(std::move(origin));
}

Parsed<std::string> parse_host(std::string_view text) {
  const bool has_port = text.find(':') != std::string_view::npos && !text.ends_with(']');
  if (text != "*" && (!is_host(text) || has_port)) {
    return Fault{"is not a host: a name or an address without a port, or \"*\" for any"};
  }
  return parsed(lower(text));
}

Parsed<std::string> parse_audience(std::string_view text) {
  if (text.empty()) {
    return Fault{"is empty"};
  }
  return parsed(std::string(text));
}

Parsed<Settings> parse_public_url(Settings settings, std::string_view text) {
  const bool is_plain = std::all_of(text.begin(), text.end(), [](char c) {
    return c > ' ' && c < 127 && c != '"' && c != '\\' && c != '?' && c != '#';
  });
  if (!text.empty() && ((!text.starts_with("https://") && !text.starts_with("http://")) ||
                        text.ends_with("://") || !is_plain)) {
    return Fault{"is not a URL: https://HOST/PATH, without a query"};
  }
  settings.public_url = text;
  return settings;
}

// Source: RFC 6265 4.1.1.
Parsed<Settings> parse_cookie_name(Settings settings, std::string_view text) {
  if (text.empty() || !has_only(text, "!#$%&'*+-.^_`|~")) {
    return Fault{"is not the name of a cookie"};
  }
  settings.cookie_name = text;
  return settings;
}

const std::array kRows = {
    SettingRow{.name = "config",
               .group = "Where the hub listens",
               .kind = OtherKind{"FILE", parse_config, [](const Settings& s) { return s.config; }},
               .change = SettingChange::kRestart,
               .places = SettingPlaces::kNotInFile,
               .help = "A TOML file with settings."},
    SettingRow{.name = "listen",
               .group = "Where the hub listens",
               .kind = OtherKind{"ADDRESS:PORT", parse_listen,
                                 [](const Settings& s) { return format_endpoint(s.listen); }},
               .change = SettingChange::kRestart,
               .help =
                   "The address and port to serve at; port 0 picks a free one. Sockets that are "
                   "inherited (LISTEN_FDS) take its place."},
    SettingRow{.name = "path",
               .group = "Where the hub listens",
               .kind = OtherKind{"PATH", parse_path, [](const Settings& s) { return s.path; }},
               .change = SettingChange::kRestart,
               .help = "The path of the hub's URL. Clients of Mercure 0.x know no other than the "
                       "default."},
    SettingRow{.name = "admin",
               .group = "Where the hub listens",
               .kind = OtherKind{"auto|off|ADDRESS:PORT", parse_admin, format_admin},
               .change = SettingChange::kRestart,
               .help =
                   "Where /healthz, /readyz, /metrics and /admin are. auto: at `listen` while that "
                   "is on loopback, else nowhere. An inherited socket with the name admin "
                   "(LISTEN_FDNAMES) takes the place of an address."},
    SettingRow{.name = "open",
               .group = "Where the hub listens",
               .kind = SwitchKind{&Settings::open},
               .change = SettingChange::kRestart,
               .help = "Serve without authorization also where other machines can reach the hub: "
                       "everyone may publish and read all but private events."},
    SettingRow{.name = "shards",
               .group = "Where the hub listens",
               .kind = CountKind{&Settings::shards, 0, 256},
               .change = SettingChange::kRestart,
               .help = "Threads that serve connections. 0: one per processor."},
    SettingRow{.name = "supervise",
               .group = "Where the hub listens",
               .kind = SwitchKind{&Settings::supervise},
               .change = SettingChange::kRestart,
               .help = "Run the hub as the child of a small process that holds the listening "
                       "sockets and starts the hub again when it dies. SIGUSR2 puts the binary "
                       "that now lies at its path in its place; no connect is refused meanwhile."},

    SettingRow{.name = "log",
               .group = "What is kept",
               .kind = OtherKind{"memory:|sqlite:FILE", parse_log, format_log},
               .change = SettingChange::kRestart,
               .help =
                   "Where events are kept. memory: is empty after a restart; SQLite has each event "
                   "on disk before its publisher gets an answer."},
    SettingRow{.name = "history_bytes",
               .group = "What is kept",
               .kind = BytesKind{&Settings::history_bytes, kMiB, 64 * kTiB},
               .help = "Size of the history in an SQLite log; beyond it the oldest events go."},
    SettingRow{.name = "memory_log_bytes",
               .group = "What is kept",
               .kind = BytesKind{&Settings::memory_log_bytes, 64 * kKiB, 64 * kTiB},
               .help = "Size of the history in a memory log."},
    SettingRow{.name = "history_events",
               .group = "What is kept",
               .kind = CountKind{&Settings::history_events, 0, std::uint64_t{1} << 48},
               .help = "Events in the history, in either log. 0: no limit but the size."},
    SettingRow{.name = "history_age",
               .group = "What is kept",
               .kind = DurationKind{&Settings::history_age, milliseconds(0), 100 * kYear},
               .help =
                   "Age of the oldest event in the history, in either log. 0: no limit. What was "
                   "stored before the hub's start ages by the time of day, but goes a minute "
                   "after the start at the earliest: so nothing of the last minute goes where "
                   "the clock was set wrong."},
    SettingRow{.name = "window_bytes",
               .group = "What is kept",
               .kind = BytesKind{&Settings::window_bytes, 64 * kKiB, kTiB},
               .change = SettingChange::kRestart,
               .help =
                   "Memory for the most recent events, ready to send: readers who are behind by "
                   "less cost no read from the log."},

    SettingRow{.name = "body_bytes",
               .group = "Limits of a request",
               .kind = BytesKind{&Settings::body_bytes, kKiB, kGiB},
               .help = "Size of a request's body, and so of an event. Beyond: 413."},
    SettingRow{.name = "header_bytes",
               .group = "Limits of a request",
               .kind = BytesKind{&Settings::header_bytes, kKiB, kMiB},
               .help = "Size of the request line and the header. Beyond: 431."},
    SettingRow{.name = "request_time",
               .group = "Limits of a request",
               .kind = DurationKind{&Settings::request_time, milliseconds(100), hours(1)},
               .help = "Time to send a request. Beyond: 408, and the connection is closed."},
    SettingRow{.name = "topics",
               .group = "Limits of a request",
               .kind = CountKind{&Settings::topics, 1, 10'000},
               .help = "Topics of an event. Beyond: 413."},
    SettingRow{.name = "topic_bytes",
               .group = "Limits of a request",
               .kind = BytesKind{&Settings::topic_bytes, 16, 64 * kKiB},
               .help = "Size of a topic. Beyond: 413."},
    SettingRow{.name = "selectors",
               .group = "Limits of a request",
               .kind = CountKind{&Settings::selectors, 1, 10'000},
               .help = "Selectors of a stream. Beyond: 400."},
    SettingRow{.name = "selector_bytes",
               .group = "Limits of a request",
               .kind = BytesKind{&Settings::selector_bytes, 16, 64 * kKiB},
               .help = "Size of a selector. Beyond: 400."},
    SettingRow{.name = "connections",
               .group = "Limits of a request",
               .kind = CountKind{&Settings::connections, 0, 100'000'000},
               .help = "Open connections. 0: as many as the process may have files open "
                       "(RLIMIT_NOFILE), less 256. Beyond: a stream is told when to come back, any "
                       "other request gets 503."},
    SettingRow{.name = "connections_per_address",
               .group = "Limits of a request",
               .kind = CountKind{&Settings::connections_per_address, 0, 100'000'000},
               .help =
                   "Open connections of one address (of one /64 network with IPv6). 0: no limit, "
                   "because a proxy is one address. Beyond: as for `connections`, with 429."},

    SettingRow{
        .name = "heartbeat",
        .group = "Streams",
        .kind = DurationKind{&Settings::heartbeat, seconds(1), hours(1)},
        .help = "An idle stream gets a comment this often (± 20 %), so that no proxy takes it for "
                "dead."},
    SettingRow{.name = "retry",
               .group = "Streams",
               .kind = DurationKind{&Settings::retry, milliseconds(10), hours(1)},
               .help = "What streams tell their readers to wait before they reconnect (± 30 %)."},
    SettingRow{
        .name = "hello",
        .group = "Streams",
        .kind = choice<&Settings::hello, kHelloWords>("auto|always|never"),
        .help = "Which streams begin with an event `vrelo.hello`, which gives Firefox its position "
                "before the first event. auto: those that look like a browser's EventSource."},
    SettingRow{.name = "drain",
               .group = "Streams",
               .kind = DurationKind{&Settings::drain, milliseconds(0), hours(1)},
               .help = "At SIGTERM, and for an upgrade by SIGUSR2, open streams are closed evenly "
                       "over this time."},
    SettingRow{.name = "stream_lifetime",
               .group = "Streams",
               .kind = DurationKind{&Settings::stream_lifetime, milliseconds(0), kYear},
               .help = "How long a stream lasts at most, and at least nine tenths of that; then it "
                       "ends, and its reader comes back. 0: as long as it can."},

    SettingRow{.name = "allowed_origins",
               .group = "Who may come",
               .kind = ListKind{&Settings::allowed_origins, "ORIGIN,...", parse_origin},
               .help =
                   "Origins whose pages may use the hub. Empty: none but its own; while the hub is "
                   "on loopback and has no key, any port of localhost and 127.0.0.1."},
    SettingRow{.name = "allowed_hosts",
               .group = "Who may come",
               .kind = ListKind{&Settings::allowed_hosts, "HOST,...", parse_host},
               .help =
                   "Names under which the hub is asked for (the Host field, without its port), "
                   "besides localhost and IP addresses, which are always allowed. Any other name "
                   "is refused, so that no page can reach the hub by DNS rebinding. \"*\": any."},

    SettingRow{.name = "audiences",
               .group = "Who may come",
               .kind = ListKind{&Settings::audiences, "URL,...", parse_audience},
               .help =
                   "What the hub is called in tokens (`aud`), as a rule the URL that clients use. "
                   "Needed as soon as there are `[[issuers]]`."},
    SettingRow{.name = "anonymous",
               .group = "Who may come",
               .kind = SwitchKind{&Settings::anonymous},
               .help =
                   "Whoever has no token may read all but private events. Without `[[issuers]]` "
                   "everyone may anyway."},
    SettingRow{.name = "clock_leeway",
               .group = "Who may come",
               .kind = DurationKind{&Settings::clock_leeway, milliseconds(0), minutes(1)},
               .help = "How far the clock of an issuer may be off: tokens are taken so much before "
                       "`nbf` and after `exp`."},
    SettingRow{.name = "cookie_name",
               .group = "Who may come",
               .kind = OtherKind{"NAME", parse_cookie_name,
                                 [](const Settings& s) { return s.cookie_name; }},
               .help = "The cookie that may hold a token. Browsers keep one whose name begins with "
                       "`__Secure-` over HTTPS alone."},

    SettingRow{.name = "mercure_0x",
               .group = "Who may come",
               .kind = SwitchKind{&Settings::mercure_0x},
               .help = "Clients of Mercure 0.x are served too: selectors named `topic`, and the "
                       "tokens of issuers with `mercure_claim`."},

    SettingRow{
        .name = "public_url",
        .group = "Tickets",
        .kind = OtherKind{"URL", parse_public_url, [](const Settings& s) { return s.public_url; }},
        .help = "The hub's URL as clients have it: https://hub.example/.well-known/mercure. If "
                "set, its origin alone is the hub's own, else that of `Host` is too. It is in the "
                "`url` of tickets, and the base of topics. Empty: that path at the first URL of "
                "`audiences`; else tickets have no `url`."},
    SettingRow{.name = "ticket_session",
               .group = "Tickets",
               .kind = DurationKind{&Settings::ticket_session, seconds(10), hours(24)},
               .help = "How long the session lasts that a ticket opens, at most: it ends with its "
                       "token in any case."},
    SettingRow{.name = "ticket_grace",
               .group = "Tickets",
               .kind = DurationKind{&Settings::ticket_grace, milliseconds(0), minutes(1)},
               .help = "How long after a ticket was used its own request may come again, where the "
                       "answer did not arrive. 0: never."},
    SettingRow{.name = "tickets_per_minute",
               .group = "Tickets",
               .kind = CountKind{&Settings::tickets_per_minute, 1, 1'000'000},
               .help = "Tickets that one subject of an issuer may get in a minute; more for a back "
                       "end that mints for many readers. Beyond: 429."},
    SettingRow{.name = "tickets_unused",
               .group = "Tickets",
               .kind = CountKind{&Settings::tickets_unused, 1, 1'000'000},
               .help = "Tickets of one subject that are not used yet. Beyond, the oldest dies."},
    SettingRow{.name = "tickets_bytes",
               .group = "Tickets",
               .kind = BytesKind{&Settings::tickets_bytes, kMiB, kTiB},
               .help = "Memory for tickets and their sessions, about 1 KiB each; full: 503. One "
                       "subject's take at most half of it, and less when others take much too: "
                       "beyond, 429."},

    SettingRow{.name = "log_level",
               .group = "Diagnostics",
               .kind = choice<&Settings::log_level, kLogLevelWords>("debug|info|warning|error"),
               .help = "What is written to standard error: lines of this level and above."},
};

template <typename... F>
struct Visitor : F... {
  using F::operator()...;
};
// Clang 14, which builds the fuzz targets, does not deduce this by itself.
template <typename... F>
Visitor(F...) -> Visitor<F...>;

// Turns what parse_x() returned into the field, if it is within `kind`'s range.
template <typename Kind, typename T>
Parsed<void> put(const Kind& kind,
                 const SettingRow& row,
                 const Parsed<T>& value,
                 Settings& settings) {
  if (!value) {
    return value.error();
  }
  if (*value < kind.min || *value > kind.max) {
    return Fault{fmt::format("is out of range: {}", range(row))};
  }
  settings.*kind.field = *value;
  return {};
}

Parsed<void> put_list(const ListKind& kind, std::string_view text, Settings& settings) {
  constexpr std::size_t kElementsMax = 1000;
  std::vector<std::string> list;
  while (!text.empty()) {
    const std::size_t comma = std::min(text.find(','), text.size());
    std::string_view element = text.substr(0, comma);
    text.remove_prefix(std::min(comma + 1, text.size()));
    while (element.starts_with(' ')) {
      element.remove_prefix(1);
    }
    while (element.ends_with(' ')) {
      element.remove_suffix(1);
    }
    auto parsed = kind.parse_one(element);
    if (!parsed) {
      return Fault{fmt::format("has \"{}\", which {}", element, parsed.error().message)};
    }
    if (list.size() == kElementsMax) {
      return Fault{fmt::format("has more than {} elements", kElementsMax)};
    }
    list.push_back(*std::move(parsed));
  }
  settings.*kind.field = std::move(list);
  return {};
}

}  // namespace

std::span<const SettingRow> setting_rows() {
  return kRows;
}

const SettingRow* find_setting(std::string_view name) {
  const auto found = std::find_if(kRows.begin(), kRows.end(),
                                  [name](const SettingRow& row) { return row.name == name; });
  return found == kRows.end() ? nullptr : &*found;
}

std::string flag_name(const SettingRow& row) {
  std::string flag = "--" + std::string(row.name);
  std::replace(flag.begin(), flag.end(), '_', '-');
  return flag;
}

std::string variable_name(const SettingRow& row) {
  std::string variable = "VRELO_" + std::string(row.name);
  for (char& c : variable) {
    c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  }
  return variable;
}

std::string shape(const SettingRow& row) {
  return std::visit(Visitor{
                        [](const BytesKind&) { return std::string("SIZE"); },
                        [](const CountKind&) { return std::string("N"); },
                        [](const DurationKind&) { return std::string("DURATION"); },
                        [](const SwitchKind&) { return std::string("true|false"); },
                        [](const ListKind& kind) { return std::string(kind.shape); },
                        [](const OtherKind& kind) { return std::string(kind.shape); },
                    },
                    row.kind);
}

std::string range(const SettingRow& row) {
  return std::visit(
      Visitor{
          [](const BytesKind& kind) {
            return fmt::format("{} to {}", format_bytes(kind.min), format_bytes(kind.max));
          },
          [](const CountKind& kind) { return fmt::format("{} to {}", kind.min, kind.max); },
          [](const DurationKind& kind) {
            return fmt::format("{} to {}", format_duration(kind.min), format_duration(kind.max));
          },
          [](const auto&) { return std::string(); },
      },
      row.kind);
}

Parsed<void> set(const SettingRow& row, std::string_view text, Settings& settings) {
  return std::visit(
      Visitor{
          [&](const BytesKind& kind) { return put(kind, row, parse_bytes(text), settings); },
          [&](const CountKind& kind) { return put(kind, row, parse_count(text), settings); },
          [&](const DurationKind& kind) { return put(kind, row, parse_duration(text), settings); },
          [&](const SwitchKind& kind) -> Parsed<void> {
            const auto value = parse_switch(text);
            if (!value) {
              return value.error();
            }
            settings.*kind.field = *value;
            return {};
          },
          [&](const ListKind& kind) { return put_list(kind, text, settings); },
          [&](const OtherKind& kind) -> Parsed<void> {
            auto parsed = kind.parse(settings, text);
            if (!parsed) {
              return parsed.error();
            }
            settings = *std::move(parsed);
            return {};
          },
      },
      row.kind);
}

std::string get(const SettingRow& row, const Settings& settings) {
  return std::visit(
      Visitor{
          [&](const BytesKind& kind) { return format_bytes(settings.*kind.field); },
          [&](const CountKind& kind) { return std::to_string(settings.*kind.field); },
          [&](const DurationKind& kind) { return format_duration(settings.*kind.field); },
          [&](const SwitchKind& kind) {
            return std::string(settings.*kind.field ? "true" : "false");
          },
          [&](const ListKind& kind) {
            return fmt::format("{}", fmt::join(settings.*kind.field, ","));
          },
          [&](const OtherKind& kind) { return kind.format(settings); },
      },
      row.kind);
}

}  // namespace vrelo::base
