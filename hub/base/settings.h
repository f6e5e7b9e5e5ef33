// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <boost/asio/ip/tcp.hpp>
#include <boost/system/result.hpp>

#include "hub/base/setting_text.h"

namespace vrelo::base {

enum class LogLevel { kDebug, kInfo, kWarning, kError };

// Which streams begin with the named event "vrelo.hello". kAuto: those whose request looks like a
// native EventSource.
enum class HelloMode { kAuto, kAlways, kNever };

// Where the events are kept.
struct LogPlace {
  enum class Kind { kMemory, kSqlite };

  Kind kind = Kind::kSqlite;
  std::string file = "./vrelo.db";  // of kSqlite

  friend bool operator==(const LogPlace&, const LogPlace&) = default;
};

// Which listener has /healthz, /readyz, /metrics and /admin. kAuto: the main one while that is on
// loopback, else none.
struct AdminPlace {
  enum class Kind { kAuto, kOff, kOwn };

  Kind kind = Kind::kAuto;
  boost::asio::ip::tcp::endpoint endpoint = {};  // of kOwn

  friend bool operator==(const AdminPlace&, const AdminPlace&) = default;
};

// Somebody whose tokens are taken, as a table [[issuers]] of the file says.
struct IssuerSettings {
  std::string name = {};               // what its tokens have as iss
  std::vector<std::string> keys = {};  // the files that its keys are in, as they can be opened
  std::string jwks_url = {};           // where it publishes its keys; "": nowhere
  std::string jwks_ca = {};            // the file of who signs for that server; "": the system's
  std::vector<std::string> roles = {"publish", "subscribe"};
  std::vector<std::string> algorithms = {};     // empty: those of the keys
  bool mercure_claim = false;                   // its tokens may be those of Mercure 0.x
  std::chrono::milliseconds token_lifetime{0};  // the longest time to exp; 0: any
  std::size_t streams = 0;                      // at once, of each of its subjects; 0: no limit
  std::size_t publishes_per_second = 0;         // the same

  // Of each of its subjects; nullopt: as Settings says for all.
  std::optional<std::size_t> tickets_per_minute = {};
  std::optional<std::size_t> tickets_unused = {};

  friend bool operator==(const IssuerSettings&, const IssuerSettings&) = default;
};

// What an operator may set. docs/settings.md says what each one does: it is made from the table in
// settings_table.cc, as are the flags, the variables, the keys of the file, and --help.
struct Settings {
  using Duration = std::chrono::milliseconds;

  std::string config;  // "": no file
  boost::asio::ip::tcp::endpoint listen{boost::asio::ip::address_v4::loopback(), 3000};
  std::string path = "/.well-known/mercure";
  AdminPlace admin;
  bool open = false;
  bool supervise = false;
  std::size_t shards = 0;  // 0: one per processor

  LogPlace log;
  std::uint64_t history_bytes = std::uint64_t{1} << 30;  // of an SQLite log
  std::uint64_t memory_log_bytes = std::uint64_t{64} << 20;
  std::uint64_t history_events = 0;               // 0: no limit
  Duration history_age = std::chrono::hours(24);  // 0: no limit
  std::uint64_t window_bytes = std::uint64_t{64} << 20;

  std::size_t body_bytes = std::size_t{1} << 20;
  std::size_t header_bytes = std::size_t{16} << 10;
  Duration request_time = std::chrono::seconds(10);
  std::size_t topics = 100;
  std::size_t topic_bytes = 4096;
  std::size_t selectors = 100;
  std::size_t selector_bytes = 4096;
  std::size_t connections = 0;              // 0: see connections_max()
  std::size_t connections_per_address = 0;  // 0: no limit

  Duration heartbeat = std::chrono::seconds(15);
  Duration retry = std::chrono::seconds(3);
  HelloMode hello = HelloMode::kAuto;
  Duration drain = std::chrono::seconds(20);
  Duration stream_lifetime{0};  // 0: any

  std::vector<std::string> allowed_origins;
  std::vector<std::string> allowed_hosts;

  std::vector<IssuerSettings> issuers;  // empty: there is no authorization
  std::vector<std::string> audiences;
  bool anonymous = false;
  bool mercure_0x = true;

  std::string public_url;  // "": see docs/settings.md
  Duration ticket_session = std::chrono::hours(1);
  Duration ticket_grace = std::chrono::seconds(10);
  std::uint64_t tickets_per_minute = 60;
  std::uint64_t tickets_unused = 32;
  std::uint64_t tickets_bytes = std::uint64_t{64} << 20;

  Duration clock_leeway{0};
  std::string cookie_name = "__Secure-mercure_access_token";

  LogLevel log_level = LogLevel::kInfo;

  friend bool operator==(const Settings&, const Settings&) = default;
};

// Where settings come from.
struct SettingSources {
  std::vector<std::string> flags;                              // the arguments after `vrelo serve`
  std::vector<std::pair<std::string, std::string>> variables;  // the environment; VRELO_… counts
};

// Returns the process's environment in the form of SettingSources::variables.
std::vector<std::pair<std::string, std::string>> read_environment(const char* const* environment);

// Puts the settings together: flags over environment over the file that `config` names over
// defaults.
//
// Errors: a message for the operator, which names where the fault is ("--heartbeat",
// "VRELO_HEARTBEAT", "hub.toml:7: heartbeat"): an unknown name, with the nearest that exists; a
// value that cannot be read or is out of range; a file that is not there or is no TOML; settings
// that contradict each other.
// Cost: reads the file, at most 1 MiB.
Parsed<Settings> load_settings(const SettingSources& sources);

// Reads what the file named `file` holds, over `settings`. Errors: as load_settings().
Parsed<Settings> parse_settings(std::string_view toml, std::string_view file, Settings settings);

// Whether `flags` ask for help (--help or -h), and the text for that.
bool asks_for_help(std::span<const std::string> flags);
std::string settings_help();

// The contents of docs/settings.md.
std::string settings_page();

// What a reload comes to, while the hub runs.
struct SettingsChange {
  Settings settings;  // `wanted`, but for what cannot change at run time, which is as it was

  // For the log, one per setting: "heartbeat = 20s (was 15s)".
  std::vector<std::string> changed;
  std::vector<std::string> needs_restart;
};

SettingsChange change_settings(const Settings& running, Settings wanted);

// What an operator should know about these settings, for the log at start, a sentence each.
std::vector<std::string> warnings(const Settings& settings);

// Whether nobody but this machine can reach the hub, so that it may serve without authorization.
bool is_local_only(const Settings& settings);

// Returns why these settings may not serve at `endpoint`, the address of a listener of our own or
// of one that was inherited; nullopt: they may.
std::optional<Fault> refuse_endpoint(const Settings& settings,
                                     const boost::asio::ip::tcp::endpoint& endpoint);

// Returns why a process that may have `files_max` descriptors open has too few of them for
// connections, where those settings do not say how many; nullopt: it has enough.
std::optional<Fault> refuse_files_max(const Settings& settings, std::size_t files_max);

// Returns how many connections may be open at once, in a process that may have `files_max`
// descriptors open (RLIMIT_NOFILE): what is set, else all but 256.
std::size_t connections_max(const Settings& settings, std::size_t files_max);

}  // namespace vrelo::base
